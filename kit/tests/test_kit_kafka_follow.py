import asyncio
import uuid
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from structlog.testing import capture_logs

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher, follow
from foreshock_kit.service import Context
from foreshock_kit.testing.broker import private
from foreshock_schemas.events import Subscription
from foreshock_schemas.topics import SUBSCRIPTIONS

pytestmark = pytest.mark.broker


def subscription(number: int, at_ms: int) -> Subscription:
    return Subscription(
        event_id=f"s{number}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        chat_id=number,
        active=True,
        changed_by="user",
        announced=False,
    )


@pytest.fixture
async def topic(kafka):
    topic = private(SUBSCRIPTIONS)
    await ensure_topics(kafka, [topic])
    return topic


class View:
    def __init__(self):
        self.chats = []
        self.caught_up = asyncio.Event()
        self.arrived = asyncio.Event()

    def on_record(self, record):
        self.chats.append(record.event.chat_id)
        self.arrived.set()

    @asynccontextmanager
    async def following(self, kafka, topic, since_ms, publisher=None):
        context = Context(name=f"t{uuid.uuid4().hex}", clock=SystemClock())
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(
                follow(
                    kafka,
                    context,
                    [topic],
                    self.on_record,
                    since_ms={topic.name: since_ms},
                    caught_up=self.caught_up,
                    publisher=publisher,
                )
            )
            await self.caught_up.wait()
            yield
            context.stop.set()

    async def until(self, records: int):
        while len(self.chats) < records:
            self.arrived.clear()
            await self.arrived.wait()


async def test_a_view_catches_up_and_goes_on(kafka, topic):
    now_ms = SystemClock().now_ms()
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        for number in range(50):
            await publisher.publish(topic, subscription(number, now_ms))
        await publisher.flush()
        view = View()
        async with view.following(kafka, topic, None):
            assert view.chats == list(range(50))
            await publisher.send(topic, subscription(50, now_ms))
            await view.until(51)
    assert view.chats == list(range(51))


@pytest.mark.parametrize(("since_ms", "expected"), [(0, []), (60_000, [1]), (None, [0, 1])])
async def test_a_view_starts_as_far_back_as_it_is_told(kafka, topic, since_ms, expected):
    now_ms = SystemClock().now_ms()
    async with Publisher(kafka, "test", SystemClock()) as publisher:
        await publisher.send(topic, subscription(0, now_ms - 3_600_000))
        await publisher.send(topic, subscription(1, now_ms - 1_000))
    view = View()
    async with view.following(kafka, topic, since_ms):
        assert view.chats == expected


async def test_an_empty_topic_is_caught_up_with_at_once(kafka, topic):
    view = View()
    async with view.following(kafka, topic, None):
        assert view.chats == []


async def write_rubbish(kafka, topic, value: bytes, times: int = 1):
    producer = AIOKafkaProducer(bootstrap_servers=kafka.kafka_bootstrap_servers)
    async with producer:
        for _ in range(times):
            await producer.send_and_wait(topic.name, value, key=b"k")


async def test_what_comes_and_cannot_be_read_is_kept_aside(kafka, topic):
    now_ms, view = SystemClock().now_ms(), View()
    await write_rubbish(kafka, topic, b"was there before")
    async with (
        Publisher(kafka, "test", SystemClock()) as publisher,
        view.following(kafka, topic, None, publisher),
    ):
        await write_rubbish(kafka, topic, b"came meanwhile")
        await publisher.send(topic, subscription(1, now_ms))
        await view.until(1)
    consumer = AIOKafkaConsumer(
        topic.dead_letters,
        bootstrap_servers=kafka.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(10), consumer:
        letter = await consumer.getone()
        assert letter.value == b"came meanwhile"
        assert dict(letter.headers)["error"]
        ends = await consumer.end_offsets(consumer.assignment())
    assert list(ends.values()) == [1]


async def test_many_that_cannot_be_read_are_told_once_and_counted(kafka, topic):
    await write_rubbish(kafka, topic, b"was there before", times=60)
    with capture_logs() as said:
        async with View().following(kafka, topic, None):
            pass
    first, *counts = [each for each in said if each["event"].startswith("kafka_record")]
    assert (first["event"], first["offset"]) == ("kafka_record_skipped", "0")
    assert {each["event"] for each in counts} == {"kafka_records_skipped"}
    assert sum(each["more"] for each in counts) == 59


async def test_good_records_between_them_are_no_row_of_bad_ones(kafka, topic):
    now_ms, view = SystemClock().now_ms(), View()
    async with (
        Publisher(kafka, "test", SystemClock()) as publisher,
        view.following(kafka, topic, None, publisher),
    ):
        for number in range(2):
            await write_rubbish(kafka, topic, b"rubbish", times=60)
            await publisher.send(topic, subscription(number, now_ms))
        await view.until(2)
    assert view.chats == [0, 1]
