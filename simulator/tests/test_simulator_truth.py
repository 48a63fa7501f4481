"""Cascades from forced closings: runs of induced ones of a side, with gaps of up to a minute."""

import pytest

from foreshock_simulator.market.shock import Shock
from foreshock_simulator.offline.truth import Finder, Truth

HELD = 2e9


def found(*rows):
    """Return the cascades in (second, side, usd, induced)."""
    finder = Finder("BTC")
    over = [
        finder.closed(round(at * 1000), side, usd, HELD, induced=induced)
        for at, side, usd, induced in rows
    ]
    return [each for each in over if each is not None] + finder.rest()


def test_induced_closings_within_a_minute_are_one_cascade():
    (one,) = found((0, "long", 1e6, True), (60, "long", 2e6, True))
    assert (one.onset_ms, one.end_ms, one.usd) == (0, 60_000, 3e6)
    assert one.bp_of_open_interest == pytest.approx(15)
    assert one.induced_share == 1


def test_a_longer_gap_begins_another():
    first, second = found((0, "long", 1e6, True), (60.001, "long", 2e6, True))
    assert (first.usd, second.usd) == (1e6, 2e6)


def test_sides_are_apart():
    assert {each.side for each in found((0, "long", 1e6, True), (1, "short", 1e6, True))} == {
        "long",
        "short",
    }


def test_closings_that_nobody_induced_make_no_cascade_and_lessen_the_share():
    assert found((0, "long", 1e6, False)) == []
    rows = (0, "long", 5e6, False), (1, "long", 1e6, True), (2, "long", 1e6, False)
    (one,) = found(*rows, (3, "long", 2e6, True), (4, "long", 9e6, False))
    assert (one.onset_ms, one.end_ms, one.usd) == (1000, 3000, 3e6)
    assert one.induced_share == pytest.approx(3 / 4)


def test_what_is_planted_is_told_of_the_coins_that_it_concerns():
    truth = Truth()
    shocks = [
        Shock(start_s=60, lasts_s=120, volume_times=5.0),
        Shock(start_s=300, lasts_s=600, interest=0.05),
        Shock(start_s=900, lasts_s=60, log_return=-0.05),
        Shock(start_s=1000, lasts_s=7 * 86_400, volume_times=2.2),
        Shock(start_s=0, lasts_s=60, volume_times=9.0, symbols=frozenset({"ETHUSDT"})),
    ]
    truth.plant("BTC", "BTCUSDT", shocks, 1_000_000)
    ((spike,), (move,)) = truth.spikes, truth.moves
    assert (spike.at_ms, spike.lasts_s, spike.times) == (1_060_000, 120, 5.0)
    assert (move.at_ms, move.lasts_s, move.pct) == (1_300_000, 600, pytest.approx(5))
    assert truth.cascades == []
