"""Which contract of a venue stands for a coin, and whether it is that coin."""

import pytest

from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Ticker
from foreshock_schemas.events import Instrument, MarginTier
from foreshock_schemas.testing import sample
from oi_poller.domain.identity import PATIENCE_MS, Identities
from oi_poller.domain.market import Market
from oi_poller.domain.registry import Registry

NOW = 1_790_000_000_000
MINUTE_MS = 60_000

TABLE = {
    "PEPE": {
        "binance": ("1000PEPEUSDT", "1000PEPE"),
        "bybit": ("1000PEPEUSDT", "1000PEPE"),
        "okx": ("PEPE-USDT-SWAP", "PEPE"),
        "hyperliquid": ("kPEPE", "1000PEPE"),
        "gate": ("PEPE_USDT", "PEPE"),
        "kraken": ("PF_PEPEUSD", "PEPE"),
    },
    "SHIB": {
        "binance": ("1000SHIBUSDT", "1000SHIB"),
        "bybit": ("SHIB1000USDT", "SHIB1000"),
        "okx": ("SHIB-USDT-SWAP", "SHIB"),
        "hyperliquid": ("kSHIB", "1000SHIB"),
    },
    "SATS": {
        "binance": ("1000SATSUSDT", "1000SATS"),
        "bybit": ("10000SATSUSDT", "10000SATS"),
        "okx": ("SATS-USDT-SWAP", "SATS"),
    },
    "BABYDOGE": {
        "binance": ("1MBABYDOGEUSDT", "1MBABYDOGE"),
        "bybit": ("1000000BABYDOGEUSDT", "1000000BABYDOGE"),
    },
    "MOG": {
        "binance": ("1000000MOGUSDT", "1000000MOG"),
        "bybit": ("1000000MOGUSDT", "1000000MOG"),
    },
    "PUMP": {
        "binance": ("PUMPUSDT", "PUMP"),
        "bybit": ("PUMPFUNUSDT", "PUMPFUN"),
        "hyperliquid": ("PUMP", "PUMP"),
    },
    "BTC": {
        "binance": ("BTCUSDT", "BTC"),
        "hyperliquid": ("BTC", "BTC"),
        "kraken": ("PF_XBTUSD", "XBT"),
    },
    "1INCH": {"binance": ("1INCHUSDT", "1INCH"), "bybit": ("1INCHUSDT", "1INCH")},
    "0G": {"binance": ("0GUSDT", "0G"), "bybit": ("0GUSDT", "0G")},
    "4": {"binance": ("4USDT", "4"), "bybit": ("4USDT", "4")},
}
"""By coin and venue the contract and its base, as the venues write them; prices agree per coin."""


def listing(symbol, coin=None, status="trading", venue="okx", **changes):
    coin = coin or symbol.split("-")[0]
    return sample(
        Instrument,
        exchange=venue,
        symbol=symbol,
        coin=coin,
        status=status,
        **{"tiers": ()} | changes,
    )


def ticker(contract, usd, price=100.0):
    return Ticker(
        symbol=contract.symbol,
        coin=contract.coin,
        last_price=price,
        volume_24h_usd=usd,
        change_24h_pct=0.0,
        ts_event_ms=NOW,
    )


LINEAR, TWIN = listing("BTC-USDT-SWAP"), listing("BTC-USDC-SWAP")


class Okx:
    """A registry with one venue in it; volumes are of LINEAR and TWIN, or by contract."""

    def __init__(self):
        self.registry = Registry()

    def hears(self, linear=0.0, twin=0.0, contracts=(LINEAR, TWIN)):
        self.registry.learn("okx", contracts)
        volumes = {LINEAR.symbol: linear, TWIN.symbol: twin}
        tickers = {c.symbol: ticker(c, volumes.get(c.symbol, 1.0)) for c in contracts}
        return self.registry.choose("okx", tickers)

    def news(self, strangers=(), now_ms=NOW):
        told = list(self.registry.news("okx", strangers, now_ms))
        unused = {each.symbol for each in told if each.status == "trading" and not each.followed}
        return {c.symbol: "not followed" if c.symbol in unused else c.status for c in told}


@pytest.fixture
def okx():
    return Okx()


@pytest.mark.parametrize("coin", TABLE)
def test_a_coin_is_one_whatever_the_venues_write(coin):
    market = Market(list(TABLE[coin]), (), 60)
    for rank, (venue, (symbol, base)) in enumerate(TABLE[coin].items()):
        contract = instrument(venue, symbol, base, NOW, quote="USDT", status="trading")
        market.learn_contracts(venue, [contract])
        on_wire = 0.0123 * contract.multiplier * (1 + 0.009 * rank)
        price = on_wire / contract.multiplier
        market.learn_tickers(venue, {symbol: ticker(contract, 1e9 / (rank + 1), price)}, NOW)
    assert market.decide(NOW) == []
    assert market.universe == {coin}
    for venue, (symbol, _) in TABLE[coin].items():
        assert market.symbols(venue) == {coin: symbol}
    assert {c.coin for v in TABLE[coin] for c in market.news(v, NOW)} == {coin}


def test_a_multiplier_that_was_missed_is_no_coin_s_price():
    market = Market(["binance", "bybit"], (), 60)
    for venue, price, usd in (("binance", 0.0123, 9e9), ("bybit", 12.3, 1e9)):
        contract = listing("PEPEUSDT", "PEPE", venue=venue)
        market.learn_contracts(venue, [contract])
        market.learn_tickers(venue, {"PEPEUSDT": ticker(contract, usd, price)}, NOW)
    assert [stranger.exchange for stranger in market.decide(NOW)] == ["bybit"]


def test_of_several_contracts_the_most_traded_is_followed_and_no_other(okx):
    found = okx.hears(linear=9.0, twin=2.0)
    assert {coin: t.symbol for coin, t in found.items()} == {"BTC": LINEAR.symbol}
    assert okx.news() == {LINEAR.symbol: "trading", TWIN.symbol: "not followed"}
    assert okx.news() == {}, "they are told once"


def test_it_stays_until_another_has_twice_its_volume_and_then_is_let_go(okx):
    okx.hears(linear=5.0, twin=2.0)
    okx.news()
    okx.hears(linear=5.0, twin=10.0)
    assert okx.news() == {}
    okx.hears(linear=5.0, twin=10.1)
    assert okx.news() == {LINEAR.symbol: "not followed", TWIN.symbol: "trading"}
    okx.hears(linear=20.0, twin=10.1)
    assert okx.news() == {}
    okx.hears(linear=20.3, twin=10.1)
    assert okx.news() == {LINEAR.symbol: "trading", TWIN.symbol: "not followed"}


def test_a_contract_without_a_ticker_keeps_its_place_while_it_trades_alone(okx):
    okx.hears(linear=5.0, contracts=[LINEAR])
    okx.news()
    assert okx.registry.choose("okx", {}) == {}
    assert okx.news() == {}
    okx.hears(contracts=[TWIN])
    assert okx.news() == {LINEAR.symbol: "closed", TWIN.symbol: "trading"}


def test_a_contract_that_ends_is_told_as_it_ends(okx):
    okx.hears(linear=5.0, contracts=[LINEAR])
    okx.news()
    closing = listing(LINEAR.symbol, status="closing")
    okx.hears(contracts=[closing])
    assert okx.news() == {LINEAR.symbol: "closing"}
    okx.hears(contracts=[TWIN])
    assert okx.news() == {LINEAR.symbol: "closed", TWIN.symbol: "trading"}
    assert okx.news() == {}


def test_what_disappeared_is_told_with_the_time_and_an_id_of_its_own(okx):
    okx.hears(linear=5.0, contracts=[LINEAR])
    (told,) = okx.registry.news("okx", (), NOW)
    okx.registry.learn("okx", [TWIN])
    gone = next(c for c in okx.registry.news("okx", (), NOW + 5) if c.symbol == LINEAR.symbol)
    assert (gone.symbol, gone.status, gone.ts_event_ms) == (LINEAR.symbol, "closed", NOW + 5)
    assert gone.event_id != told.event_id


def test_what_is_news_has_an_id_of_its_own_and_what_is_none_is_told_once(okx):
    def listed(**changes):
        said = {"quote": "USDT", "status": "trading", "tick": 0.1} | changes
        return instrument("okx", LINEAR.symbol, said.pop("base", "BTC"), NOW, **said)

    ids = []
    changes = [{}, {"tick": 0.2}, {"quote": "USD"}, {"inverse": True}, {"base": "XBT2"}, {}]
    for minute, change in enumerate(changes):
        okx.hears(contracts=[listed(**change)])
        for strangers in ((), {"BTC", "XBT2"}, ()):
            now_ms = NOW + len(ids)
            ids += [each.event_id for each in okx.registry.news("okx", strangers, now_ms)]
        okx.hears(contracts=[listed(**change)])
        assert okx.news() == {}, minute
    assert len(ids) == len(set(ids)) == 3 * len(changes)
    assert len({listed(**change).event_id for change in changes}) == len(changes) - 1


def test_what_an_earlier_run_told_is_held_against_the_first_listing_only(okx):
    okx.registry.recall(listing("OLD-USDT-SWAP"))
    okx.hears(linear=5.0)
    assert okx.news()["OLD-USDT-SWAP"] == "closed"
    assert not okx.registry._recalled
    assert okx.news() == {}


def test_what_was_not_followed_is_closed_as_such(okx):
    okx.hears(linear=9.0, twin=1.0)
    okx.news()
    okx.registry.learn("okx", [])
    told = {each.symbol: each.followed for each in okx.registry.news("okx", (), NOW + 5)}
    assert told == {LINEAR.symbol: True, TWIN.symbol: False}


def test_what_does_not_trade_yet_is_told_when_it_does(okx):
    pending = listing(LINEAR.symbol, status="pending")
    okx.hears(contracts=[pending])
    assert okx.news() == {}
    okx.hears(contracts=[LINEAR])
    assert okx.news() == {LINEAR.symbol: "trading"}


def test_a_stranger_is_not_followed(okx):
    okx.hears(linear=5.0, contracts=[LINEAR])
    assert okx.news(strangers={"BTC"}) == {LINEAR.symbol: "not followed"}
    assert okx.news() == {LINEAR.symbol: "trading"}
    assert okx.news(strangers={"BTC"}) == {LINEAR.symbol: "not followed"}


def test_what_an_earlier_run_told_keeps_its_place_or_is_told_as_closed(okx):
    gone = listing("OLD-USDT-SWAP")
    for contract in (LINEAR, TWIN, listing(LINEAR.symbol, status="closed"), gone):
        okx.registry.recall(contract)
    assert okx.news() == {}, "the venue has said nothing yet"
    okx.hears(linear=5.0, twin=3.0)
    assert okx.news() == {
        TWIN.symbol: "trading",
        LINEAR.symbol: "not followed",
        gone.symbol: "closed",
    }


TIER = MarginTier(floor_usd=0.0, rate=0.004, max_leverage=125.0, deduction_usd=0.0)


def test_tiers_are_told_when_they_change_and_outlive_the_next_listing(okx):
    okx.hears(linear=5.0, contracts=[LINEAR])
    (before,) = okx.registry.news("okx", (), NOW)
    okx.registry.learn_tiers("okx", {LINEAR.symbol: (TIER,)}, NOW + 5)
    (after,) = okx.registry.news("okx", (), NOW + 5)
    assert (before.tiers, after.tiers, after.ts_event_ms) == ((), (TIER,), NOW + 5)
    assert after.event_id != before.event_id
    okx.registry.learn_tiers("okx", {LINEAR.symbol: (TIER,)}, NOW + 9)
    okx.hears(linear=5.0, contracts=[LINEAR])
    assert okx.news() == {}


def test_tiers_that_the_listing_tells_win(okx):
    own = listing(LINEAR.symbol, tiers=(TIER,))
    okx.registry.learn_tiers("okx", {LINEAR.symbol: (TIER, TIER)}, NOW)
    okx.hears(contracts=[own])
    assert [c.tiers for c in okx.registry.news("okx", (), NOW)] == [(TIER,)]


class Prices:
    """Judges X on two venues, of which the first leads."""

    def __init__(self):
        self.identities = Identities()

    def judge(self, other, minute=0, fresh=("a", "b")):
        there = listing("X-USDT-SWAP")
        tickers = {"a": ticker(there, 9.0, 100.0), "b": ticker(there, 1.0, other)}
        found = self.identities.judge("X", tickers, fresh, NOW + minute * MINUTE_MS)
        return [stranger.exchange for stranger in found]

    @property
    def followed(self):
        return {venue for venue in "ab" if self.identities.is_coin(venue, "X")}


@pytest.mark.parametrize(
    ("price", "same"), [(95.1, True), (104.9, True), (94.9, False), (105.1, False)]
)
def test_prices_within_five_percent_are_one_coin_s(price, same):
    prices = Prices()
    assert prices.judge(price) == ([] if same else ["b"])
    assert prices.followed == ({"a", "b"} if same else {"a"})
    assert prices.identities.strangers("b") == (frozenset() if same else {"X"})


def test_prices_that_part_in_a_crash_part_no_coin():
    prices, patience = Prices(), PATIENCE_MS // MINUTE_MS
    prices.judge(100.0)
    assert prices.judge(80.0, 1) == []
    assert prices.judge(99.0, 20) == []
    assert prices.judge(80.0, 21) == []
    assert prices.judge(80.0, 20 + patience) == []
    assert prices.followed == {"a", "b"}
    assert prices.judge(80.0, 21 + patience) == ["b"]
    assert prices.followed == {"a"}


def test_a_stranger_whose_price_only_passes_by_stays_one():
    prices, patience = Prices(), PATIENCE_MS // MINUTE_MS
    prices.judge(80.0)
    prices.judge(100.0, 1)
    assert prices.followed == {"a"}
    prices.judge(100.0, 1 + patience)
    assert prices.followed == {"a", "b"}


def test_nothing_is_judged_by_an_old_price():
    prices = Prices()
    assert prices.judge(80.0, fresh={"b"}) == []
    assert prices.judge(80.0, fresh={"a"}) == []
    assert prices.followed == {"a"}


def test_who_was_followed_before_a_restart_has_half_an_hour():
    prices = Prices()
    prices.identities.recall("b", "X", followed=True)
    assert prices.judge(80.0) == []
    assert prices.followed == {"a", "b"}


def test_who_was_let_go_before_a_restart_is_judged_at_once():
    market = Market(["a", "b"], (), 60)
    for status in ("trading", "closed"):
        market.recall(listing("X-USDT-SWAP", status=status, venue="b"))
    for venue, price, usd in (("a", 100.0, 9.0), ("b", 80.0, 1.0)):
        contract = listing("X-USDT-SWAP", venue=venue)
        market.learn_contracts(venue, [contract])
        market.learn_tickers(venue, {contract.symbol: ticker(contract, usd, price)}, NOW)
    assert [stranger.exchange for stranger in market.decide(NOW)] == ["b"]
    assert market.symbols("b") == {}
