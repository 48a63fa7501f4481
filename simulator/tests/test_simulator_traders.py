"""Positions: where they are closed by force, and which of them earlier closings brought down."""

import numpy as np
import pytest

from foreshock_simulator.market.book import Book
from foreshock_simulator.market.traders import Crowd, Openings, liquidation_of_entry

PRICE = 100.0


def opened(*rows):
    """Return positions from (sign, usd, reach)."""
    signs, usd, reach = (np.array(column, float) for column in zip(*rows, strict=True))
    return Openings(signs=signs, usd=usd, leverage=np.full(len(rows), 10.0), reach=reach)


def book(*rows, moved=0.0):
    made = Book(100, 3600.0)
    made.open(opened(*rows), PRICE, moved)
    return made


@pytest.mark.parametrize(
    ("usd", "margin", "sign", "price"),
    [
        (10_000, 0.1, 1, 90 / (1 - 0.004)),
        (10_000, 0.1, -1, 110 / (1 + 0.004)),
        (200_000, 0.1, 1, 100 * (0.9 - 50 / 200_000) / (1 - 0.005)),
        (600_000, 0.05, -1, 100 * (1.05 + 1300 / 600_000) / 1.01),
    ],
)
def test_liquidation_price_is_that_of_the_tier(usd, margin, sign, price):
    reach = liquidation_of_entry(np.array([float(usd)]), np.array([margin]), sign)
    assert reach[0] * PRICE == pytest.approx(price)


def test_makers_take_the_other_side_of_takers_unless_they_are_hedged():
    made, net_usd = Crowd(10_000, 0.6, np.random.default_rng(1)).come(4000, 0.8)
    takers, makers = made.signs[:4000], made.signs[4000:]
    assert np.mean(takers > 0) == pytest.approx(0.8, abs=0.03)
    assert np.mean(makers < 0) == pytest.approx(0.8, abs=0.03)
    assert len(makers) / len(takers) == pytest.approx(0.45, abs=0.03)
    assert net_usd == pytest.approx((made.usd[:4000] * takers).sum())
    assert (made.leverage[made.usd > 1e6] <= 20).all()
    longs = made.signs > 0
    assert (made.reach[longs] < 1).all()
    assert (made.reach[~longs] > 1).all()


def test_closed_is_what_the_mark_has_reached_and_only_once():
    held = book((1, 1000, 0.95), (1, 3000, 0.90), (-1, 2000, 1.05))
    assert held.force(97.0, 0.0) is None
    closed = held.force(94.0, 0.0)
    assert closed.units.tolist() == [10.0]
    assert closed.longs.tolist() == [True]
    assert held.force(94.0, 0.0) is None
    assert held.long_units == pytest.approx(30)
    assert held.force(106.0, 0.0).longs.tolist() == [False]
    assert held.short_units == pytest.approx(0)


def test_induced_is_what_the_mark_reached_only_as_forced_closings_held_it_away():
    rows = (1, 1000, 0.95), (1, 1000, 0.94)
    pressed = np.log(94 / 94.5)
    closed = book(*rows).force(94.0, pressed)
    assert closed.induced.tolist() == [False, True]
    assert not book(*rows).force(94.0, 0.0).induced.any()


def test_what_stayed_of_closings_before_a_position_was_opened_induces_nothing():
    pressed = np.log(94 / 94.5)
    assert not book((1, 1000, 0.94), moved=pressed).force(94.0, pressed).induced.any()


def test_a_short_is_induced_when_forced_buying_lifts_the_mark():
    closed = book((-1, 1000, 1.05)).force(105.2, np.log(105.2 / 104.9))
    assert closed.induced.tolist() == [True]


def test_holders_leave_and_their_places_are_taken_again():
    rng = np.random.default_rng(3)
    held = Book(2000, 3600.0)
    crowd = Crowd(10_000, 0.6, rng)
    for _ in range(2000):
        held.open(crowd.come(2, 0.5)[0], PRICE, 0.0)
        held.leave(PRICE, 5.0, rng)
    assert 0 < held.long_units * PRICE < 2000 * 1.4 * 10_000
    before = held.long_units, held.short_units
    held.scale(*before)
    assert (held.long_units, held.short_units) == pytest.approx(before)


def test_who_has_lost_half_the_way_leaves_sooner():
    def left(price):
        rng = np.random.default_rng(3)
        held = Book(3000, 3600.0)
        held.open(opened(*[(1, 1000, 0.9)] * 3000), PRICE, 0.0)
        for _ in range(20):
            held.leave(price, 10.0, rng)
        return held.long_units

    assert left(94.0) < 0.85 * left(96.0)
