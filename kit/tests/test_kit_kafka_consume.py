"""Against a real broker: what is published arrives, once, in order, across restarts."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import DeadLetterLimit
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.kafka.metrics import EXPIRED
from foreshock_kit.kafka.partitioning import partition_of
from foreshock_kit.testing import eventually
from foreshock_kit.testing.broker import private
from foreshock_kit.testing.member import Member
from foreshock_schemas.events import Subscription, Trade
from foreshock_schemas.topics import SUBSCRIPTIONS, TRADES

pytestmark = pytest.mark.broker

COINS = tuple(f"COIN{number}" for number in range(40))


def trade(number: int, at_ms: int) -> Trade:
    return Trade(
        event_id=f"binance:X:aggTrade:{number}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        exchange="binance",
        symbol="X",
        coin=COINS[number % len(COINS)],
        aggressor="buy",
        price=1.0,
        size_coins=2.0,
        notional_usd=2.0,
    )


def trades(first: int, beyond: int, at_ms: int | None = None) -> list[Trade]:
    at_ms = SystemClock().now_ms() if at_ms is None else at_ms
    return [trade(number, at_ms) for number in range(first, beyond)]


@pytest.fixture
async def topic(kafka):
    topic = private(TRADES)
    await ensure_topics(kafka, [topic])
    return topic


@asynccontextmanager
async def publishing(kafka):
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        yield publisher


async def publish(kafka, topic, events) -> None:
    async with publishing(kafka) as publisher:
        for event in events:
            await publisher.publish(topic, event)


async def write_raw(kafka, topic: str, values) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.kafka_bootstrap_servers, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k", partition=0)
    finally:
        await producer.stop()


async def read_raw(kafka, topic: str, count: int):
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.kafka_bootstrap_servers)
    await consumer.start()
    found = []
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        async with asyncio.timeout(10):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(records)
    finally:
        await consumer.stop()
    return found


async def test_all_of_5000_arrive_once_in_order_where_their_key_belongs(kafka, topic):
    events = trades(0, 5_000)
    await publish(kafka, topic, events)
    async with Member(kafka, [topic]).running() as reader:
        await reader.until(5_000)
    assert sorted(r.event.event_id for r in reader.records) == sorted(e.event_id for e in events)
    by_coin = {coin: [e for e in events if e.coin == coin] for coin in COINS}
    for coin in COINS:
        mine = [record for record in reader.records if record.event.coin == coin]
        assert [record.event for record in mine] == by_coin[coin]
        assert {record.partition for record in mine} == {partition_of(coin.encode(), 12)}
        assert not any(record.replayed for record in mine)


async def test_the_kafka_timestamp_is_the_receive_time(kafka):
    topic = private(SUBSCRIPTIONS)
    await ensure_topics(kafka, [topic])
    at_ms = SystemClock().now_ms() - 60_000
    event = Subscription(
        event_id="s",
        ts_event_ms=1,
        ts_recv_ms=at_ms,
        chat_id=77,
        active=True,
        changed_by="user",
        announced=False,
    )
    async with publishing(kafka) as publisher:
        await publisher.send(topic, event)
    [record] = await read_raw(kafka, topic.name, 1)
    assert (record.timestamp, record.key) == (at_ms, b"77")


async def test_send_is_acknowledged_and_keeps_its_place_behind_what_was_published(kafka, topic):
    events = [msgspec.structs.replace(event, coin="BTC") for event in trades(0, 50)]
    async with publishing(kafka) as publisher, Member(kafka, [topic]).running() as reader:
        for number, event in enumerate(events):
            await (publisher.send if number % 7 == 0 else publisher.publish)(topic, event)
        await reader.until(50)
    assert [record.event for record in reader.records] == events


async def test_published_records_leave_without_a_flush(kafka, topic):
    async with publishing(kafka) as publisher, Member(kafka, [topic]).running() as reader:
        await eventually(lambda: reader.context.health.ready)
        await publisher.publish(topic, trade(1, SystemClock().now_ms()))
        await reader.until(1)


async def test_what_is_done_is_committed_when_nothing_more_comes(kafka, topic):
    name = f"t{uuid.uuid4().hex}"
    logs = [TopicPartition(topic.name, number) for number in range(topic.partitions)]

    async def all_committed() -> bool:
        async with admin_client(kafka) as admin:
            found = await admin.list_consumer_group_offsets(f"foreshock-{name}", partitions=logs)
        return sum(max(0, each.offset) for each in found.values()) == 40

    async with Member(kafka, [topic], name).running() as member:
        for part in (trades(0, 20), trades(20, 40)):
            await publish(kafka, topic, part)
            await member.until(int(part[-1].event_id.rpartition(":")[2]) + 1)
        await eventually(all_committed, 15)


async def test_a_restart_goes_on_at_its_commit(kafka, topic):
    await publish(kafka, topic, trades(0, 300))
    name = f"t{uuid.uuid4().hex}"
    async with Member(kafka, [topic], name).running() as before:
        await before.until(300)
    await publish(kafka, topic, trades(300, 500))
    async with Member(kafka, [topic], name).running() as after:
        await after.until(200)
    assert sorted(after.ids()) == sorted(e.event_id for e in trades(300, 500))
    assert after.ids(replayed=True) == []


async def test_a_restart_replays_its_window_first(kafka, topic):
    now_ms = SystemClock().now_ms()
    await publish(kafka, topic, trades(0, 100, now_ms - 600_000))
    await publish(kafka, topic, trades(100, 200, now_ms - 30_000))
    name = f"t{uuid.uuid4().hex}"
    async with Member(kafka, [topic], name).running() as before:
        await before.until(200)
    await publish(kafka, topic, trades(200, 300, now_ms))
    window = {topic.name: 60_000}
    async with Member(kafka, [topic], name, rebuild_ms=window).running() as after:
        await after.until(200)
        await eventually(lambda: after.context.health.ready)
    assert sorted(after.ids(replayed=True)) == sorted(e.event_id for e in trades(100, 200))
    assert sorted(after.ids()) == sorted(e.event_id for e in trades(200, 300))
    for coin in COINS:
        flags = [record.replayed for record in after.records if record.event.coin == coin]
        assert flags == sorted(flags, reverse=True)


async def test_a_rebuild_without_a_window_starts_at_the_beginning(kafka, topic):
    await publish(kafka, topic, trades(0, 100, SystemClock().now_ms() - 600_000))
    name = f"t{uuid.uuid4().hex}"
    async with Member(kafka, [topic], name).running() as before:
        await before.until(100)
    whole = {topic.name: None}
    async with Member(kafka, [topic], name, rebuild_ms=whole).running() as after:
        await after.until(100)
        await eventually(lambda: after.context.health.ready)
    assert len(after.ids(replayed=True)) == 100
    assert after.ids() == []


async def test_first_topics_are_read_before_the_others(kafka, topic):
    settings = private(TRADES)
    await ensure_topics(kafka, [settings])
    await publish(kafka, topic, trades(0, 3_000))
    await publish(kafka, settings, trades(10_000, 14_000))
    reader = Member(kafka, [topic, settings], first=[settings])
    async with reader.running():
        await reader.until(7_000)
        await eventually(lambda: reader.context.health.ready)
    order = [record.topic.name for record in reader.records]
    assert order == [settings.name] * 4_000 + [topic.name] * 3_000


async def test_a_backlog_is_handed_over_in_the_order_of_its_timestamps(kafka, topic):
    rare = private(TRADES)
    await ensure_topics(kafka, [rare])
    start_ms = SystemClock().now_ms() - 15_000_000
    often = [trade(number, start_ms + 500 * number) for number in range(30_000)]
    await publish(kafka, topic, often)
    await publish(kafka, rare, [trade(n, start_ms + 25_000 * n) for n in range(600)])
    reader = Member(kafka, [topic, rare])
    async with reader.running():
        await reader.until(30_600)
    dates = [record.event.ts_recv_ms for record in reader.records]
    assert dates == sorted(dates)


async def test_what_was_held_back_at_a_stop_comes_with_the_next_start(kafka, topic):
    rare = private(TRADES)
    await ensure_topics(kafka, [rare])
    start_ms = SystemClock().now_ms() - 15_000_000
    await publish(kafka, topic, [trade(n, start_ms + 500 * n) for n in range(20_000)])
    await publish(kafka, rare, [trade(20_000 + n, start_ms + 25_000 * n) for n in range(400)])
    name = f"t{uuid.uuid4().hex}"
    before = Member(kafka, [topic, rare], name)
    async with before.running():
        await before.until(1)
    after = Member(kafka, [topic, rare], name)
    async with after.running():
        await after.until(20_400 - len(before.records))
    assert len(before.records) < 20_400
    assert sorted(before.ids() + after.ids()) == sorted(
        f"binance:X:aggTrade:{number}" for number in range(20_400)
    )


async def test_hooks_hear_of_partitions_before_their_records(kafka, topic):
    heard = []

    async def on_assigned(pairs):
        heard.append(pairs)

    await publish(kafka, topic, trades(0, 10))
    reader = Member(kafka, [topic], on_assigned=on_assigned)
    async with reader.running():
        await reader.until(10)
    assert heard == [{(topic.name, partition) for partition in range(12)}]


async def test_an_unreadable_record_is_kept_aside_and_the_others_go_on(kafka, topic):
    await publish(kafka, topic, trades(0, 20))
    await write_raw(kafka, topic.name, [b"rubbish"])
    await publish(kafka, topic, trades(20, 40))
    reader = Member(kafka, [topic])
    async with reader.running():
        await reader.until(40)
    [letter] = await read_raw(kafka, topic.dead_letters, 1)
    headers = {name: value.decode() for name, value in letter.headers}
    assert (letter.value, letter.key) == (b"rubbish", b"k")
    assert headers.pop("error")
    assert int(headers.pop("offset")) >= 0
    assert headers.pop("timestamp_ms").isdecimal()
    assert headers == {
        "topic": topic.name,
        "partition": "0",
        "service": reader.context.name,
    }


async def test_too_many_unreadable_records_stop_the_service(kafka, topic):
    await write_raw(kafka, topic.name, [b"rubbish"] * 120)
    with pytest.raises(BaseExceptionGroup) as caught:
        async with Member(kafka, [topic]).running() as reader:
            await reader.until(1)
    assert caught.group_contains(DeadLetterLimit)


async def test_a_handlers_error_ends_consuming_and_commits_nothing(kafka, topic):
    await publish(kafka, topic, trades(0, 100))
    name = f"t{uuid.uuid4().hex}"

    class Broken(Member):
        async def on_records(self, records):
            await super().on_records(records)
            raise LookupError

    with pytest.raises(BaseExceptionGroup) as caught:
        async with Broken(kafka, [topic], name).running():
            await asyncio.Event().wait()
    assert caught.group_contains(LookupError)
    async with Member(kafka, [topic], name).running() as after:
        await after.until(100)
    assert len(after.ids()) == 100


async def test_what_expired_unread_is_counted_and_reading_goes_on(kafka):
    topic = private(SUBSCRIPTIONS)
    topic = msgspec.structs.replace(topic, event=Trade, key_of=lambda e: e.coin, cleanup="delete")
    await ensure_topics(kafka, [topic])
    await publish(kafka, topic, trades(0, 10))
    name = f"t{uuid.uuid4().hex}"
    async with Member(kafka, [topic], name).running() as before:
        await before.until(10)
    await publish(kafka, topic, trades(10, 40))
    async with admin_client(kafka) as admin:
        await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(25)})
    async with Member(kafka, [topic], name).running() as after:
        await after.until(15)
    assert after.ids() == [e.event_id for e in trades(25, 40)]
    assert EXPIRED.labels(topic.name)._value.get() == 15
