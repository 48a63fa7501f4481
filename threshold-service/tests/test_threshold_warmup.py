"""Candles wait until their venue's are all there, and come back oldest first."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Kline
from foreshock_schemas.testing import sample
from threshold_service.domain.warmup import Warmup

T0 = 1_781_622_000_000
HOUR, SECOND = 3_600_000, 1_000


def kline(hour, received_s=0.0, exchange="okx"):
    return sample(
        Kline,
        exchange=exchange,
        interval="1h",
        start_ms=T0 - (1_000 - hour) * HOUR,
        ts_event_ms=T0 - (999 - hour) * HOUR,
        ts_recv_ms=T0 + round(received_s * SECOND),
    )


def taken(warmup, second):
    hours = [1_000 - (T0 - each.start_ms) // HOUR for each in warmup.take(T0 + second * SECOND)]
    return [round(hour) for hour in hours]


def test_pages_that_come_newest_first_are_learned_oldest_first():
    warmup = Warmup()
    for number, hour in enumerate((5, 6, 3, 4, 1, 2), 1):
        warmup.add(kline(hour, received_s=number))
    assert taken(warmup, 30 + 60 + 5) == [], "the last came at 6 s"
    assert taken(warmup, 30 + 60 + 6) == [1, 2, 3, 4, 5, 6]
    assert taken(warmup, 10_000) == []
    assert warmup.waiting == {}


def test_each_venue_is_waited_for_by_itself():
    warmup = Warmup()
    warmup.add(kline(1, 0, "okx"))
    warmup.add(kline(1, 50, "bybit"))
    assert [len(taken(warmup, second)) for second in (91, 139, 140)] == [1, 0, 1]


def test_what_may_not_be_known_yet_stays():
    warmup = Warmup()
    warmup.add(kline(1, 0))
    warmup.add(kline(2, 95))
    assert taken(warmup, 100) == [1]
    assert taken(warmup, 200) == [2]


def test_the_first_go_when_there_are_too_many():
    warmup = Warmup()
    for n in range(6_000):
        warmup.add(kline(n))
    assert taken(warmup, 200)[0] == 1_000


@given(st.lists(st.integers(0, 400), max_size=30).map(sorted), st.integers(0, 500))
def test_what_comes_later_changes_nothing_and_a_snapshot_neither(received, second):
    known, whole = Warmup(), Warmup()
    for hour, at in enumerate(received):
        whole.add(kline(hour, at))
        if at <= second - 30:
            known.add(kline(hour, at))
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(whole), type=Warmup)
    assert taken(known, second) == taken(whole, second) == taken(restored, second)
