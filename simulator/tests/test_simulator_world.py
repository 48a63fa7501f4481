"""One market on three venues: each has its share, all the same prices, nothing is told twice."""

import numpy as np
import pytest

from foreshock_schemas.names import coin_of
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.profiles import newcomer
from foreshock_simulator.market.shares import SHARES, Dealer
from foreshock_simulator.world import World

T0 = 1_790_000_000_000


def dealt(seed, seconds=40):
    """Return what each venue gets, step by step, beside the whole."""
    market, dealer = Market(seed), Dealer(seed, SHARES)
    wholes = [market.step(0.5) for _ in range(seconds * 2)]
    return wholes, [dealer.deal(whole) for whole in wholes]


def test_every_trade_and_every_liquidation_belongs_to_one_venue():
    for whole, hands in zip(*dealt(7), strict=True):
        for symbol, step in whole.items():
            parts = [hands[name][symbol] for name in SHARES]
            units = np.concatenate([part.trades.units for part in parts])
            assert sorted(units) == sorted(step.trades.units)
            forced = [each for part in parts for each in part.liquidations]
            assert sorted(map(id, forced)) == sorted(map(id, step.liquidations))


def test_each_venue_has_its_share():
    wholes, hands = dealt(7)
    trades = sum(len(step.trades.units) for whole in wholes for step in whole.values())
    forced = sum(len(step.liquidations) for whole in wholes for step in whole.values())
    assert sum(SHARES.values()) == 1
    for name, share in SHARES.items():
        steps = [step for hand in hands for step in hand[name].values()]
        assert sum(len(s.trades.units) for s in steps) == pytest.approx(share * trades, rel=0.1)
        assert sum(len(s.liquidations) for s in steps) == pytest.approx(share * forced, rel=0.1)


def test_the_same_seed_deals_the_same_and_another_another():
    def counts(seed):
        return [
            len(step.trades.units) for hand in dealt(seed, 5)[1] for step in hand["okx"].values()
        ]

    assert counts(7) == counts(7)
    assert counts(7) != counts(8)


def test_venues_quote_one_price_each_by_its_unit():
    world = World(7, T0)
    for _ in range(200):
        world.step(world.now_ms + 100)
    prices = {}
    for name, venue in world.venues.items():
        for listing in venue.listings.values():
            coin, multiplier = coin_of(listing.base)
            mark = float(listing.price(listing.contract.mark))
            prices.setdefault(coin, {})[f"{name} {listing.symbol}"] = mark / multiplier
    assert len(prices) == 11
    for coin, of_coin in prices.items():
        assert len(of_coin) == (4 if coin in {"BTC", "ETH"} else 3)
        assert max(of_coin.values()) == pytest.approx(min(of_coin.values()), rel=1e-3)


def test_open_interest_of_all_venues_is_the_markets():
    world = World(7, T0)
    for symbol, contract in world.market.contracts.items():
        held = [
            listing.open_interest * listing.scale
            for venue in world.venues.values()
            for listing in venue.listings.values()
            if listing.contract is contract and not listing.inverse
        ]
        assert sum(held) == pytest.approx(contract.open_interest), symbol


def test_a_newcomer_changes_nothing_for_those_who_were_there():
    def prices(*, listed):
        world = World(7, T0)
        for second in range(60):
            if listed and second == 10:
                world.venues["bybit"].list(world.market.list(newcomer("NEW")))
            world.step(world.now_ms + 1000)
        return {name: contract.price for name, contract in world.market.contracts.items()}

    with_it = prices(listed=True)
    assert with_it.pop("NEWUSDT") > 0
    assert with_it == prices(listed=False)


def test_the_market_goes_on_after_a_night():
    world = World(7, T0)
    for hours in range(1, 20):
        world.step(T0 + hours * 8 * 3_600_000)
    for contract in world.market.contracts.values():
        assert 0.2 < contract.price / contract.profile.price < 5
