"""The past once more: the same records in the same order, from the state before it."""

import uuid
import zlib
from collections import Counter

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from structlog.testing import capture_logs

from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import embedded_broker
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import Stopped
from foreshock_kit.kafka import Past, Publisher, reread
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.service import Context
from foreshock_kit.testing.broker import private
from foreshock_schemas.events import StateSnapshot, Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import STATE, TRADES

pytestmark = pytest.mark.broker

COINS = tuple(f"COIN{number}" for number in range(40))
STEP_MS = 1_000
HOUR_MS = 3_600_000


def trade(number, start_ms, step_ms=STEP_MS):
    at_ms = start_ms + number * step_ms
    return sample(
        Trade,
        event_id=f"trade:{step_ms}:{number}",
        coin=COINS[number % len(COINS)],
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
    )


async def publish(kafka, topic, events):
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        for event in events:
            await publisher.publish(topic, event)


class Given:
    """Takes state back, and has none to give."""

    def __init__(self):
        self.states = {}

    def snapshot(self, partition):
        raise AssertionError("a replay writes nothing")

    def restore(self, partition, coin, offsets, state):
        self.states[coin] = offsets, state

    def forget(self, partitions):
        raise AssertionError("a replay has nothing before")


@pytest.fixture
def name():
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
async def topics(kafka):
    topics = [private(TRADES), private(TRADES)]
    await ensure_topics(kafka, [*topics, STATE])
    return topics


@pytest.fixture
async def undisturbed(kafka, tmp_path):
    """A broker whose state topic has nobody else's records, of other times."""
    async with embedded_broker(tmp_path) as address:
        yield msgspec.structs.replace(kafka, kafka_bootstrap_servers=address)


@pytest.fixture
def start_ms():
    return SystemClock().now_ms() - 5 * HOUR_MS


async def replayed(kafka, name, topics, span, **options):
    records = []

    async def on_records(some):
        assert len(some) <= 2_000
        records.extend(some)

    past = Past(topics=topics, from_ms=span[0], to_ms=span[1], **options)
    await reread(kafka, Context(name), past, on_records)
    return records


async def test_the_stretch_comes_in_order_and_what_is_around_it_marked(
    kafka, topics, name, start_ms
):
    often, rare = topics
    await publish(kafka, often, [trade(n, start_ms) for n in range(9_000)])
    await publish(kafka, rare, [trade(n, start_ms, 60_000) for n in range(150)])
    span = start_ms + HOUR_MS, start_ms + 2 * HOUR_MS
    windows = {often.name: 600_000, rare.name: None}
    records = await replayed(kafka, name, topics, span, rebuild_ms=windows)
    times = [record.event.ts_recv_ms for record in records]
    assert times == sorted(times)
    new = [record.event.event_id for record in records if not record.replayed]
    assert sorted(new) == sorted(
        [f"trade:1000:{n}" for n in range(3_600, 7_200)]
        + [f"trade:60000:{n}" for n in range(60, 120)]
    )
    before = Counter(r.topic.name for r in records if r.event.ts_recv_ms < span[0])
    assert before == {often.name: 600, rare.name: 60}


async def test_it_starts_at_each_coins_newest_snapshot_before_it(undisturbed, name, start_ms):
    alone = msgspec.structs.replace(private(TRADES), partitions=1)
    await ensure_topics(undisturbed, [alone, STATE])
    await publish(undisturbed, alone, [trade(n, start_ms) for n in range(9_000)])
    kept = {3_000: (1_000, b"early"), 3_400: (3_400, b"before"), 8_000: (8_000, b"after")}
    snapshots = [
        StateSnapshot(
            event_id=f"{coin}:{second}",
            ts_event_ms=start_ms + second * 1_000,
            ts_recv_ms=start_ms + second * 1_000,
            service=name,
            coin=coin,
            offsets={f"{alone.name}:0": offset},
            state=zlib.compress(state),
        )
        for second, (offset, state) in kept.items()
        for coin in ("COIN1", "COIN2")
        if (coin, second) != ("COIN2", 3_400)
    ]
    await publish(undisturbed, STATE, snapshots)
    given = Given()
    span = start_ms + HOUR_MS, start_ms + 2 * HOUR_MS
    records = await replayed(undisturbed, name, [alone], span, state=given)
    log = f"{alone.name}:0"
    assert given.states == {"COIN1": ({log: 3_400}, b"before"), "COIN2": ({log: 1_000}, b"early")}
    assert records[0].offset == 1_000
    assert [r.offset for r in records if not r.replayed] == list(range(3_600, 7_200))


@pytest.mark.parametrize("gone", [0, 30])
async def test_without_a_snapshot_all_before_is_read_and_what_is_gone_of_it_is_warned_of(
    undisturbed, name, start_ms, gone
):
    alone = msgspec.structs.replace(private(TRADES), partitions=1)
    await ensure_topics(undisturbed, [alone, STATE])
    await publish(undisturbed, alone, [trade(n, start_ms, 60_000) for n in range(150)])
    if gone:
        async with admin_client(undisturbed) as admin:
            await admin.delete_records({TopicPartition(alone.name, 0): RecordsToDelete(gone)})
    span = start_ms + HOUR_MS, start_ms + 2 * HOUR_MS
    with capture_logs() as told:
        records = await replayed(undisturbed, name, [alone], span, state=Given())
    assert [r.offset for r in records if r.replayed] == [*range(gone, 60), 120]
    assert ("replay_without_state" in [each["event"] for each in told]) is bool(gone)


async def test_the_end_may_lie_ahead(kafka, topics, name, start_ms):
    await publish(kafka, topics[0], [trade(n, start_ms) for n in range(100)])
    span = start_ms, start_ms + 100 * HOUR_MS
    records = await replayed(kafka, name, topics, span)
    assert len([record for record in records if not record.replayed]) == 100


async def test_a_stop_ends_it(kafka, topics, name, start_ms):
    await publish(kafka, topics[0], [trade(n, start_ms, 500) for n in range(30_000)])
    context = Context(name)

    async def on_records(_):
        context.stop.set()

    past = Past(topics=topics, from_ms=start_ms, to_ms=start_ms + 9 * HOUR_MS)
    with pytest.raises(Stopped):
        await reread(kafka, context, past, on_records)
