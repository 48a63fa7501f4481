"""The market: the same from the same seed, never impossible, cascades when they are due."""

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock_simulator.market.market import Market
from foreshock_simulator.market.profiles import DEMO
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.market.shock import STILL
from foreshock_simulator.market.shocks import demo

SESSIONS = {"asian": 0.7, "european": 0.9, "us": 1.0, "weekend": 0.5}
"""The multipliers of the original formula."""

PACE = SCENARIOS["demo"].pace(None)


def cascade_usd(profile, session):
    """Return what must be liquidated within 60 s, by the formula as it was first written."""
    cap_usd = profile.supply * profile.price
    shares = ((100e9, 0.0005), (10e9, 0.001), (1e9, 0.002), (0.0, 0.005))
    share = next(share for above, share in shares if cap_usd > above)
    jumpiness = max(0.5, min(2.0, 1.0 + (profile.volatility - 0.05) * 2))
    return 5 * profile.daily_usd * share * SESSIONS[session] * jumpiness


def liquidated(steps, *, shown=False):
    """Return USD by symbol: all, or the largest of each step, as Binance shows them."""
    usd = Counter()
    for symbol, step in (item for steps_of in steps for item in steps_of.items()):
        sizes = [each.units * each.price for each in step.liquidations]
        usd[symbol] += max(sizes, default=0.0) if shown else sum(sizes)
    return usd


def run(seed, seconds, dt=0.5, scenario="demo"):
    market = Market(seed, scenario)
    return market, [market.step(dt) for _ in range(round(seconds / dt))]


def told(steps):
    """Return the steps as plain numbers, so that they can be compared."""
    return [
        {
            symbol: (
                step.trades.prices.tolist(),
                step.trades.units.tolist(),
                step.trades.buys.tolist(),
                [(each.longs, each.units, each.price) for each in step.liquidations],
            )
            for symbol, step in steps_of.items()
        }
        for steps_of in steps
    ]


def test_the_same_seed_gives_the_same_market_and_another_another():
    assert told(run(7, 30)[1]) == told(run(7, 30)[1])
    assert told(run(7, 30)[1]) != told(run(8, 30)[1])


@settings(max_examples=8)
@given(st.integers(0, 2**31), st.sampled_from([0.1, 1.0, 5.0]))
def test_prices_and_amounts_stay_possible_at_any_speed(seed, dt):
    market, steps = run(seed, 60, dt)
    for contract in market.contracts.values():
        for price in (contract.price, contract.mark, contract.index):
            assert math.isfinite(price)
            assert 0.5 < price / contract.profile.price < 2
    for step in (each for steps_of in steps for each in steps_of.values()):
        assert (step.trades.prices > 0).all()
        assert (step.trades.units > 0).all()
        assert all(each.units > 0 and each.price > 0 for each in step.liquidations)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_shock_falls_in_the_first_minute_and_the_next_in_two_to_four(seed):
    shocks = demo(seed, ("A", "B", "C"), PACE)
    starts = [next(shocks).start_s for _ in range(20)]
    assert starts[0] + 18 <= 60
    assert all(120 <= b - a <= 240 for a, b in itertools.pairwise(starts))


def test_the_first_shock_is_everybodys_and_sides_alternate():
    shocks = demo(7, ("A", "B", "C"), PACE)
    first, second = next(shocks), next(shocks)
    assert not first.symbols
    assert first.volatilities < 0 < second.volatilities
    assert first.push("A", 0.02, first.start_s - 10, 5) == STILL
    whole = first.push("A", 0.02, first.start_s - 1, 100)
    assert whole.log_return == pytest.approx(first.volatilities * 0.02)


def test_liquidations_come_in_the_shock_and_feed_on_themselves():
    _, steps = run(7, 60)
    by_second = [
        sum(each.units * each.price for step in s.values() for each in step.liquidations)
        for s in steps
    ]
    before, during = sum(by_second[:24]), sum(by_second[24:])
    assert during > 20 * before
    longs = [e.longs for s in steps[24:] for step in s.values() for e in step.liquidations]
    assert sum(longs) > 0.8 * len(longs), "a fall liquidates longs"


def test_a_calm_market_has_no_cascade():
    _, steps = run(7, 60, scenario="calm")
    usd = sum(e.units * e.price for s in steps for step in s.values() for e in step.liquidations)
    _, shaken = run(7, 60)
    assert usd < 0.1 * sum(
        e.units * e.price for s in shaken for step in s.values() for e in step.liquidations
    )


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("seed", range(3))
def test_the_first_minute_exceeds_every_coins_limit_in_every_session(seed, session):
    _, steps = run(seed, 60, dt=1.0)
    every, shown = liquidated(steps), liquidated(steps, shown=True)
    for profile in DEMO:
        limit = cascade_usd(profile, session)
        assert every[profile.symbol] > 2 * limit, profile.base
        assert shown[profile.symbol] > limit, f"{profile.base} as one a second is shown"


@pytest.mark.parametrize("dt", [0.1, 0.5, 2.0, 5.0])
def test_the_first_cascade_does_not_hang_on_the_speed(dt):
    usd = liquidated(run(7, 60, dt)[1])
    assert all(usd[profile.symbol] > cascade_usd(profile, "us") for profile in DEMO)


@pytest.mark.parametrize("seed", [7, 8])
def test_every_shock_ends_in_a_cascade_and_there_is_none_between(seed):
    _, steps = run(seed, 900, dt=1.0)
    shocks = demo(seed, tuple(profile.symbol for profile in DEMO), PACE)
    starts = [int(s.start_s) for s in itertools.takewhile(lambda s: s.start_s < 840, shocks)]
    assert len(starts) >= 4
    for start in starts:
        shaken = liquidated(steps[start : start + 60])
        assert any(shaken[profile.symbol] > cascade_usd(profile, "us") for profile in DEMO)
    quiet = liquidated(steps[starts[0] + 60 : starts[1]])
    for profile in DEMO:
        assert quiet[profile.symbol] < cascade_usd(profile, "us")
