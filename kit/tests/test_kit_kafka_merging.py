"""Many logs, one order: by Kafka timestamp while anything older may be unread."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit.kafka.merging import Merger

LOGS = st.lists(st.lists(st.integers(0, 50), max_size=30), min_size=1, max_size=5)


def raws(where, times, first=0):
    return [
        SimpleNamespace(where=where, timestamp=at, offset=first + n) for n, at in enumerate(times)
    ]


def read_through(logs, chance):
    """Poll one log after the other in pieces, as a client would; yield what is let go."""
    merger = Merger(range(len(logs)))
    read = [0] * len(logs)
    while True:
        unread = {n for n, log in enumerate(logs) if read[n] < len(log)}
        taken = {}
        if unread:
            where = chance.choice(sorted(unread))
            piece = logs[where][read[where] : read[where] + chance.randint(1, 7)]
            taken = {where: raws(where, piece, read[where])}
            read[where] += len(piece)
            unread = {n for n, log in enumerate(logs) if read[n] < len(log)}
        merger.put(taken, 0.0)
        yield from merger.take(unread)
        if not unread:
            return


@given(LOGS, st.randoms(use_true_random=False))
def test_the_oldest_come_first_however_logs_are_read(logs, chance):
    logs = [sorted(log) for log in logs]
    handed = [raw.timestamp for raw in read_through(logs, chance)]
    assert handed == sorted(at for log in logs for at in log)


@given(LOGS, st.randoms(use_true_random=False))
def test_a_log_keeps_its_order_where_its_timestamps_go_back(logs, chance):
    handed = list(read_through(logs, chance))
    for where, log in enumerate(logs):
        offsets = [raw.offset for raw in handed if raw.where == where]
        assert offsets == list(range(len(log)))


def test_at_the_end_of_all_logs_nothing_waits():
    merger = Merger(["bars", "liquidations"])
    merger.put({"bars": raws("bars", [100, 200])}, 0.0)
    assert len(merger.take(set())) == 2


def test_what_is_unread_elsewhere_holds_back_what_is_newer():
    merger = Merger(["bars", "liquidations"])
    merger.put({"bars": raws("bars", [100, 200])}, 0.0)
    assert merger.take({"liquidations"}) == []
    merger.put({"liquidations": raws("liquidations", [100, 150])}, 0.0)
    assert [(raw.timestamp, raw.where) for raw in merger.take({"liquidations"})] == [
        (100, "bars"),
        (100, "liquidations"),
        (150, "liquidations"),
    ]
    assert merger.holds("bars")
    assert not merger.holds("liquidations")
    assert len(merger.take(set())) == 1


def test_two_seconds_of_silence_hold_nothing_back():
    merger = Merger(["bars", "liquidations"])
    merger.put({"bars": raws("bars", [100])}, 0.0)
    for waited_s, expected in [(1.9, 0), (0.2, 1)]:
        merger.put({}, waited_s)
        assert len(merger.take({"liquidations"})) == expected


def test_silence_counts_from_when_there_was_more_to_read():
    merger = Merger(["bars", "liquidations"])
    for _ in range(3):
        merger.put({}, 10.0)
        assert merger.take(set()) == []
    merger.put({"bars": raws("bars", [100])}, 0.25)
    assert merger.take({"liquidations"}) == []


def test_a_partition_far_ahead_is_full_until_the_others_have_come_as_far():
    merger = Merger(["bars", "liquidations"])
    merger.put({"bars": raws("bars", range(3_000))}, 0.0)
    assert [raw.timestamp for raw in merger.take({"liquidations"})] == [0]
    assert merger.full() == {"bars"}
    merger.put({"liquidations": raws("liquidations", [2_500])}, 60.0)
    assert len(merger.take({"liquidations", "bars"})) == 2_501
    assert merger.full() == set()


def test_a_full_partition_is_not_silent():
    merger = Merger(["bars", "liquidations"])
    merger.put({"bars": raws("bars", range(3_000))}, 0.0)
    merger.put({"liquidations": raws("liquidations", [10, 20])}, 60.0)
    merger.take({"bars", "liquidations"})
    merger.put({"liquidations": raws("liquidations", [5_000], first=2)}, 1.0)
    handed = merger.take({"bars"})
    assert (handed[-1].timestamp, merger.holds("liquidations")) == (2_999, True)
