from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit.errors import DeadLetterLimit
from foreshock_kit.kafka.dead_letters import DeadLetterBudget
from foreshock_kit.kafka.merging import merged
from foreshock_kit.kafka.records import Record, Unreadable, read_all
from foreshock_schemas.codec import decode, encode
from foreshock_schemas.events import Subscription, Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import SUBSCRIPTIONS, TRADES


def subscription(number: int) -> Subscription:
    return Subscription(
        event_id=f"s{number}",
        ts_event_ms=number,
        ts_recv_ms=number,
        chat_id=number,
        active=True,
        changed_by="user",
        announced=False,
    )


def raw(topic: str, partition: int, offset: int, timestamp: int, value: bytes | None):
    return SimpleNamespace(
        topic=topic, partition=partition, offset=offset, timestamp=timestamp, key=b"k", value=value
    )


TOPICS = {SUBSCRIPTIONS.name: SUBSCRIPTIONS, TRADES.name: TRADES}


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=20), min_size=1, max_size=4))
def test_each_partition_keeps_its_order_whatever_the_timestamps(partitions):
    value = encode(subscription(1))
    batches = {
        index: [
            raw(SUBSCRIPTIONS.name, index, offset, timestamp, value)
            for offset, timestamp in enumerate(timestamps)
        ]
        for index, timestamps in enumerate(partitions)
    }
    seen = list(read_all(merged(batches), TOPICS, {}, decode))
    for index, timestamps in enumerate(partitions):
        offsets = [record.offset for record in seen if record.partition == index]
        assert offsets == list(range(len(timestamps)))


def test_the_oldest_of_several_partitions_comes_first():
    value = encode(subscription(1))
    batches = {
        0: [raw(SUBSCRIPTIONS.name, 0, 0, 10, value), raw(SUBSCRIPTIONS.name, 0, 1, 30, value)],
        1: [raw(SUBSCRIPTIONS.name, 1, 0, 20, value)],
    }
    order = [
        (record.partition, record.offset)
        for record in read_all(merged(batches), TOPICS, {}, decode)
    ]
    assert order == [(0, 0), (1, 0), (0, 1)]


def test_what_lies_below_the_commit_is_replayed():
    value = encode(subscription(1))
    batches = {0: [raw(SUBSCRIPTIONS.name, 0, offset, 0, value) for offset in range(4)]}
    assert [
        record.replayed
        for record in read_all(merged(batches), TOPICS, {(SUBSCRIPTIONS.name, 0): 2}, decode)
    ] == [
        True,
        True,
        False,
        False,
    ]


def test_a_tombstone_is_no_record_and_no_error():
    batches = {0: [raw(SUBSCRIPTIONS.name, 0, 0, 0, None)]}
    assert list(read_all(merged(batches), TOPICS, {}, decode)) == []


@pytest.mark.parametrize("value", [None, b"", b"\x00", b"garbage", b"\x00\xff\xff\xff\xff123"])
def test_what_is_no_event_says_where_it_lies(value):
    [item] = read_all([raw(TRADES.name, 3, 7, 11, value)], TOPICS, {}, decode)
    assert isinstance(item, Unreadable)
    assert (
        item.headers.items()
        >= {
            "topic": TRADES.name,
            "partition": "3",
            "offset": "7",
            "timestamp_ms": "11",
        }.items()
    )
    assert item.headers["error"]


def test_an_event_of_another_topic_is_unreadable_here():
    [item] = read_all([raw(TRADES.name, 0, 0, 0, encode(subscription(1)))], TOPICS, {}, decode)
    assert isinstance(item, Unreadable)
    assert "Subscription" in item.cause


def test_a_figure_that_cannot_be_makes_no_record():
    value = encode(sample(Trade, price=float("nan")))
    (item,) = read_all([raw(TRADES.name, 0, 0, 0, value)], TOPICS, {}, decode)
    assert isinstance(item, Unreadable)
    assert item.cause == "price is nan"


def test_records_carry_the_event():
    event = subscription(5)
    [item] = read_all([raw(SUBSCRIPTIONS.name, 0, 9, 0, encode(event))], TOPICS, {}, decode)
    assert item == Record(SUBSCRIPTIONS, 0, 9, event, replayed=False)


def test_a_hundred_unreadable_in_a_row_are_the_limit():
    budget = DeadLetterBudget("t")
    budget.seen(1_000_000)
    for _ in range(99):
        budget.unreadable()
    with pytest.raises(DeadLetterLimit, match="100 unreadable records in a row"):
        budget.unreadable()


def test_a_readable_record_ends_the_row():
    budget = DeadLetterBudget("t")
    for _ in range(99):
        budget.unreadable()
    budget.readable()
    budget.unreadable()


def worsen(budget: DeadLetterBudget, *, one_in: int, times: int) -> None:
    for _ in range(times):
        budget.seen(one_in)
        budget.readable()
        budget.unreadable()


def test_a_tenth_of_the_records_is_the_limit():
    with pytest.raises(DeadLetterLimit, match="of the last"):
        worsen(DeadLetterBudget("t"), one_in=5, times=10_000)


def test_one_in_a_hundred_is_borne_for_ever():
    worsen(DeadLetterBudget("t"), one_in=100, times=5_000)
