"""Which trades are missing, by their numbers, however they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Trade
from foreshock_schemas.ids import numbers_of
from foreshock_schemas.testing import sample
from ingest_trades.domain.gaps import Gaps

PATIENT_MS = 60_000


def trade(first, last=None, symbol="BTCUSDT", at_ms=0):
    number = first if last is None else f"{first}-{last}"
    event_id = f"x:{symbol}:trades:{number}"
    return sample(Trade, event_id=event_id, symbol=symbol, ts_event_ms=at_ms, ts_recv_ms=at_ms)


def missing(gaps, now_ms=PATIENT_MS):
    return {number for gap in gaps.due(now_ms) for number in range(gap.first, gap.last + 1)}


@given(
    st.integers(1, 60).flatmap(
        lambda count: st.tuples(
            st.sets(st.integers(2, count + 1)), st.permutations(range(2, count + 2))
        )
    )
)
def test_what_never_came_is_missing_and_nothing_else_in_whatever_order(case):
    lost, order = case
    gaps = Gaps()
    gaps.on_trade(trade(1))
    for number in order:
        if number not in lost:
            gaps.on_trade(trade(number))
            gaps.on_trade(trade(number))
    came = [number for number in order if number not in lost]
    assert missing(gaps) == {number for number in lost if number < max(came, default=0)}
    assert missing(gaps) == set(), "once each"


def test_a_gap_waits_for_what_is_late():
    gaps = Gaps()
    gaps.on_trade(trade(1, at_ms=1000))
    gaps.on_trade(trade(4, at_ms=2000))
    assert gaps.due(3000) == []
    gaps.on_trade(trade(2, at_ms=2100))
    (gap,) = gaps.due(3600)
    assert (gap.first, gap.last, gap.missing) == (3, 3, 1)
    assert (gap.start_ms, gap.end_ms) == (1000, 2000)


def test_one_event_may_stand_for_several_numbers():
    gaps = Gaps()
    gaps.on_trade(trade(1, 5))
    gaps.on_trade(trade(6, 9))
    gaps.on_trade(trade(14, 20))
    gaps.on_trade(trade(11, 12))
    assert missing(gaps) == {10, 13}


def test_contracts_have_numbers_of_their_own():
    gaps = Gaps()
    for symbol, number in [("A", 1), ("B", 50), ("A", 2), ("B", 52), ("A", 3)]:
        gaps.on_trade(trade(number, symbol=symbol))
    (gap,) = gaps.due(PATIENT_MS)
    assert (gap.symbol, gap.first, gap.last) == ("B", 51, 51)


@pytest.mark.parametrize("number", [3, 90_000_000])
def test_a_venue_that_counts_anew_has_no_gap(number):
    gaps = Gaps()
    gaps.on_trade(trade(10_000_000))
    gaps.on_trade(trade(number))
    gaps.on_trade(trade(number + 2))
    assert missing(gaps) == {number + 1}


@pytest.mark.parametrize(
    ("event_id", "numbers"), [("binance:BTCUSDT:aggTrade:7", (7, 7)), ("okx:X:trades:3-9", (3, 9))]
)
def test_an_id_says_which_numbers_it_stands_for(event_id, numbers):
    assert numbers_of(event_id) == numbers


def test_what_a_contract_trades_while_nobody_follows_it_is_not_missing():
    gaps = Gaps()
    gaps.follow({"A", "B"})
    for symbol in ("A", "B"):
        gaps.on_trade(trade(1, symbol=symbol))
        gaps.on_trade(trade(3, symbol=symbol))
    gaps.follow({"B"})
    gaps.on_trade(trade(4, symbol="A"))  # by a socket that is closed last
    gaps.follow({"A", "B"})
    for symbol in ("A", "B"):
        gaps.on_trade(trade(60_000, symbol=symbol))
    found = [(gap.symbol, gap.first, gap.last) for gap in gaps.due(PATIENT_MS)]
    assert found == [("B", 2, 2), ("B", 4, 59_999)]


def test_what_comes_by_asking_and_from_the_stream_is_taken_as_it_came_first():
    gaps = Gaps()
    gaps.on_trade(trade(1))
    gaps.on_trade(trade(20))
    assert missing(gaps) == set(range(2, 20))
    assert gaps.on_trade(trade(5, 9)), "late, but sooner than the answer"
    answered = [number for number in range(2, 15) if gaps.on_refill(trade(number))]
    assert answered == [2, 3, 4, 10, 11, 12, 13, 14]
    assert not gaps.on_trade(trade(2, 4))
    assert not gaps.on_trade(trade(13, 16)), "a part of it has come"
    assert gaps.on_trade(trade(15, 19))
    assert not gaps.on_refill(trade(15))


@given(st.lists(st.tuples(st.booleans(), st.integers(2, 30), st.integers(0, 6)), max_size=40))
def test_no_number_is_taken_twice(case):
    gaps, taken = Gaps(), []
    gaps.on_trade(trade(1))
    gaps.on_trade(trade(40))
    assert gaps.due(PATIENT_MS)
    for by_asking, first, more in case:
        numbers = range(first, first + (1 if by_asking else more + 1))
        came = trade(numbers[0], numbers[-1])
        if gaps.on_refill(came) if by_asking else gaps.on_trade(came):
            taken += numbers
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(range(2, 40))


def test_gaps_are_not_remembered_for_ever():
    gaps = Gaps()
    for number in range(1, 401, 2):
        gaps.on_trade(trade(number))
    assert len(missing(gaps)) == 199
    assert all(gaps.on_refill(trade(number)) for number in range(2, 399, 2))
    again = [number for number in range(2, 399, 2) if gaps.on_refill(trade(number))]
    assert again == list(range(2, 200, 2)), "the last hundred are"
