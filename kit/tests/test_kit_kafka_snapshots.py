"""State that is kept in Kafka: written in time, given back, and gone on from."""

import asyncio
import uuid
import zlib
from collections import Counter, defaultdict

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.kafka.metrics import EXPIRED
from foreshock_kit.kafka.recovery import find
from foreshock_kit.kafka.snapshots import HOUR_MS, Snapshots
from foreshock_kit.kafka.spans import open_logs
from foreshock_kit.testing import MemoryPublisher, records_on
from foreshock_kit.testing.broker import private
from foreshock_kit.testing.counting import Counting, Tally
from foreshock_schemas.codec import decode
from foreshock_schemas.events import StateSnapshot, Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import STATE, TRADES

COINS = tuple(f"COIN{number}" for number in range(40))
MINUTE_MS = 60_000
A_MINUTE = 100  # records


def trades(first, beyond, start_ms, step_ms=MINUTE_MS // A_MINUTE):
    return [
        sample(
            Trade,
            event_id=f"trade:{number}",
            coin=COINS[number % len(COINS)],
            ts_event_ms=start_ms + number * step_ms,
            ts_recv_ms=start_ms + number * step_ms,
        )
        for number in range(first, beyond)
    ]


def expected(records):
    return [(COINS[n % len(COINS)], 1 + n // len(COINS)) for n in range(records)]


@pytest.fixture
async def topic(kafka):
    topic = private(TRADES)
    await ensure_topics(kafka, [topic, STATE])
    return topic


@pytest.fixture
def name():
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def start_ms():
    return SystemClock().now_ms() - 5 * HOUR_MS


async def publish(kafka, topic, events):
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        for event in events:
            await publisher.publish(topic, event)


async def snapshots_of(kafka, service):
    records = await records_on(kafka.kafka_bootstrap_servers, STATE)
    return [record.event for record in records if record.event.service == service]


async def counted(kafka, topics, name, records):
    member = Counting(kafka, topics, name)
    async with member.running():
        await member.until(records)
    return member


@pytest.mark.broker
async def test_a_stop_keeps_the_state_and_a_start_goes_on_from_it(kafka, topic, name, start_ms):
    await publish(kafka, topic, trades(0, 1_000, start_ms))
    before = await counted(kafka, [topic], name, 1_000)
    kept = await snapshots_of(kafka, name)
    assert {each.coin for each in kept} == set(COINS)
    ends = {log: at for each in kept for log, at in each.offsets.items()}
    assert sum(ends.values()) == 1_000
    await publish(kafka, topic, trades(1_000, 1_400, start_ms))
    after = await counted(kafka, [topic], name, 400)
    assert after.ids(replayed=True) == []
    assert sorted(before.told + after.told) == sorted(expected(1_400))


@pytest.mark.broker
async def test_each_hour_of_the_records_is_kept_at_each_partitions_own_minute(
    kafka, topic, name, start_ms
):
    await publish(kafka, topic, trades(0, A_MINUTE * 210, start_ms))
    await counted(kafka, [topic], name, A_MINUTE * 210)
    times = defaultdict(set)
    for each in await snapshots_of(kafka, name):
        [log] = each.offsets
        if each.ts_event_ms >= start_ms + 90 * MINUTE_MS:
            times[int(log.rpartition(":")[2])].add(each.ts_event_ms)
    hours_and_stop = {len(each) for each in times.values()}
    assert hours_and_stop <= {2, 3, 4}, "two or three hours begin; the stop may be in the last one"
    hourly = [min(each) for each in times.values()]
    assert max(hourly) - min(hourly) > HOUR_MS / 2


class Crashing(Counting):
    """Dies with the record of a number; nothing is written then, as with kill -9."""

    dies_at = A_MINUTE * 130

    async def on_records(self, records):
        if len(self.records) + len(records) >= self.dies_at:
            raise LookupError
        await super().on_records(records)


@pytest.mark.broker
async def test_a_crash_is_gone_on_from_with_the_last_hours_state(kafka, topic, name, start_ms):
    await publish(kafka, topic, trades(0, A_MINUTE * 150, start_ms))
    crashing = Crashing(kafka, [topic], name)
    with pytest.raises(BaseExceptionGroup) as caught:
        async with crashing.running():
            await crashing.until(A_MINUTE * 150)
    assert caught.group_contains(LookupError)
    after = Counting(kafka, [topic], name)
    async with after.running():
        await after.until(A_MINUTE * 20)
        while after.tally.total.total() < A_MINUTE * 150:
            await after.until(len(after.records) + 1)
    assert after.tally.total == Counter(dict.fromkeys(COINS, 375))
    assert len(after.records) < A_MINUTE * 140
    assert set(crashing.told + after.told) == set(expected(A_MINUTE * 150))


@pytest.mark.broker
async def test_a_crash_ten_minutes_after_the_first_start_costs_nothing_though_the_topic_be_short(
    kafka, name, start_ms
):
    alone = msgspec.structs.replace(private(TRADES), partitions=1)
    await ensure_topics(kafka, [alone, STATE])
    crashing = Crashing(kafka, [alone], name)
    crashing.dies_at = A_MINUTE * 10

    async def ten_minutes():
        async with crashing.running():
            for first in range(0, A_MINUTE * 10, A_MINUTE):
                await publish(kafka, alone, trades(first, first + A_MINUTE, start_ms))
                await crashing.until(first + A_MINUTE)

    with pytest.raises(BaseExceptionGroup) as caught:
        await ten_minutes()
    assert caught.group_contains(LookupError)
    kept = max(each.offsets[f"{alone.name}:0"] for each in await snapshots_of(kafka, name))
    assert kept >= A_MINUTE * 4, "half of the state's age, but for the batch in which it died"
    async with admin_client(kafka) as admin:
        await admin.delete_records({TopicPartition(alone.name, 0): RecordsToDelete(kept)})
    after = Counting(kafka, [alone], name)
    async with after.running():
        while after.tally.total.total() < A_MINUTE * 10:
            await after.until(len(after.records) + 1)
    assert after.tally.total == Counter(dict.fromkeys(COINS, A_MINUTE * 10 // len(COINS)))


@pytest.mark.broker
async def test_reading_starts_where_the_oldest_snapshot_of_a_partition_goes_on(
    kafka, topic, name, start_ms
):
    alone = msgspec.structs.replace(private(TRADES), partitions=1)
    await ensure_topics(kafka, [alone])
    await publish(kafka, alone, trades(0, 400, start_ms))
    await counted(kafka, [alone], name, 400)
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        for coin, at in {"COIN1": 300, "COIN2": 350}.items():
            snapshot = StateSnapshot(
                event_id=coin,
                ts_event_ms=start_ms + 2 * HOUR_MS,
                ts_recv_ms=start_ms + 2 * HOUR_MS,
                service=name,
                coin=coin,
                offsets={f"{alone.name}:0": at},
                state=zlib.compress(b"1000"),
            )
            await publisher.send(STATE, snapshot)
    await publish(kafka, alone, trades(400, 440, start_ms))
    after = await counted(kafka, [alone], name, 140)
    assert [record.offset for record in after.records] == list(range(300, 440))
    assert after.ids() == [f"trade:{number}" for number in range(400, 440)]
    assert after.tally.total["COIN0"] == 11
    assert after.tally.total["COIN1"] == 1_003
    assert after.tally.total["COIN2"] == 1_002


@pytest.mark.broker
async def test_state_whose_tail_has_expired_is_used_and_the_gap_told(kafka, name, start_ms):
    alone = msgspec.structs.replace(private(TRADES), partitions=1)
    await ensure_topics(kafka, [alone, STATE])
    await publish(kafka, alone, trades(0, 400, start_ms))
    await counted(kafka, [alone], name, 400)
    await publish(kafka, alone, trades(400, 800, start_ms))
    async with admin_client(kafka) as admin:
        await admin.delete_records({TopicPartition(alone.name, 0): RecordsToDelete(600)})
    after = await counted(kafka, [alone], name, 200)
    assert after.tally.total == Counter(dict.fromkeys(COINS, 15))
    assert EXPIRED.labels(alone.name)._value.get() == 200


@pytest.mark.broker
async def test_a_log_that_was_made_anew_is_read_from_its_beginning(kafka, name, start_ms):
    one, other = (msgspec.structs.replace(private(TRADES), partitions=1) for _ in range(2))
    await ensure_topics(kafka, [one, other, STATE])
    await publish(kafka, one, trades(0, 400, start_ms))
    await publish(kafka, other, trades(0, 40, start_ms))
    await counted(kafka, [one, other], name, 440)
    async with admin_client(kafka) as admin:
        await admin.delete_topics([one.name])
    await ensure_topics(kafka, [one])
    await publish(kafka, one, trades(0, 40, start_ms))
    after = await counted(kafka, [one, other], name, 40)
    assert after.tally.total == Counter(dict.fromkeys(COINS, 12))


@pytest.mark.broker
async def test_snapshots_are_found_however_old_they_are(kafka, name):
    await ensure_topics(kafka, [STATE])
    now_ms = SystemClock().now_ms()
    hours = {"hour": (3, 1), "day": (4, 20), "days": (5, 50), "earlier": (3, 2)}
    snapshots = [
        sample(
            StateSnapshot,
            event_id=each,
            ts_event_ms=now_ms - hour * HOUR_MS,
            ts_recv_ms=now_ms - hour * HOUR_MS,
            service=name,
            coin="BTC",
            offsets={f"bars:{partition}": 1},
        )
        for each, (partition, hour) in hours.items()
    ]
    await publish(kafka, STATE, snapshots)
    around_ms = dict.fromkeys((3, 4, 5, 6), now_ms)
    async with open_logs(kafka, [STATE], name="test", stop=asyncio.Event()) as logs:
        found = await find(logs, name, around_ms, decode)
    newest = {partition: coins["BTC"].event_id for partition, coins in found.items()}
    assert newest == {3: "hour", 4: "day", 5: "days"}


@pytest.mark.parametrize(
    ("partition", "minutes"),
    [(0, [2, 4, 8, 16, 32, 60, 120]), (6, [2.1, 4.2, 8.4, 16.8, 30, 60, 90, 150])],
)
@pytest.mark.parametrize("given_back", [True, False])
async def test_state_is_written_at_twice_its_age_and_later_each_hour(
    partition, minutes, given_back
):
    kept = Snapshots(Tally(), "service", MemoryPublisher())
    noon_ms, written = 500_000 * HOUR_MS, []
    before_ms = noon_ms - 40 * MINUTE_MS
    if given_back:
        saved = sample(
            StateSnapshot, coin="BTC", ts_event_ms=before_ms, offsets={}, state=zlib.compress(b"1")
        )
        kept.restart({partition}, {partition: {"BTC": saved}}, {})
    kept.passed(partition, before_ms)  # read again, before it is whole
    for second in range(3 * 3_600):
        kept.passed(partition, noon_ms + second * 1_000)
        kept.passed(partition, noon_ms)
        if kept.due():
            await kept.write({partition}, {TopicPartition("t", partition): 1})
            written.append(second / 60)
    assert written == minutes


async def test_partitions_are_written_one_after_the_other():
    kept = Snapshots(Tally(), "service", MemoryPublisher())
    for second in range(140):
        for partition in range(12):
            kept.passed(partition, second * 1_000)
        due = kept.due()
        assert len(due) <= 1
        await kept.write(due, {})


async def test_how_far_state_is_saved_can_be_watched():
    def saved_s():
        labels = {"partition": "11"}
        return REGISTRY.get_sample_value("foreshock_kafka_state_timestamp_seconds", labels)

    tally, publisher = Tally(), MemoryPublisher()
    kept = Snapshots(tally, "service", publisher)
    tally.counts[11]["BTC"] = 7
    kept.passed(11, 1_000)
    kept.passed(11, 2_000)
    assert saved_s() == 1.0, "nothing is saved yet: as old as what was read first"
    await kept.write({11}, {TopicPartition("bars", 11): 5})
    assert saved_s() == 2.0
    kept.forget({11})
    assert saved_s() is None
    again = Snapshots(Tally(), "service", publisher)
    with capture_logs() as told:
        again.restart({11}, {11: {"BTC": publisher.on(STATE)[0]}}, {"bars:11": 5})
    assert saved_s() == 2.0
    assert [(each["event"], each["coins"]) for each in told] == [("state_restored", 1)]


async def test_what_is_kept_says_which_offsets_of_its_partition_it_goes_on_from():
    tally, publisher = Tally(), MemoryPublisher()
    kept = Snapshots(tally, "service", publisher)
    tally.counts[3]["BTC"] = 7
    kept.passed(3, 1_000)
    handed = {TopicPartition("bars", 3): 5, TopicPartition("oi", 3): 9, TopicPartition("oi", 4): 1}
    await kept.write({3, 4}, handed)
    [snapshot] = publisher.on(STATE)
    assert (snapshot.service, snapshot.coin) == ("service", "BTC")
    assert (snapshot.ts_event_ms, snapshot.ts_recv_ms) == (1_000, 1_000)
    assert snapshot.offsets == {"bars:3": 5, "oi:3": 9}
    again = Snapshots(Tally(), "service", publisher)
    again.restart({3}, {3: {"BTC": snapshot}}, {"bars:3": 5, "oi:3": 9})
    await again.write({3}, handed)
    assert publisher.on(STATE) == [snapshot, snapshot]
