"""One partition's way to the broker, and what becomes of it when somebody gives up half way."""

import asyncio

from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.lane import Lane
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually


class Batch:
    def __init__(self):
        self.records = []

    def append(self, *, timestamp, key, value):
        self.records.append(value)
        return object()

    def close(self):
        pass

    def record_count(self):
        return len(self.records)


class Producer:
    """Takes batches only while its door is open."""

    def __init__(self):
        self.door = asyncio.Event()
        self.waiting = 0
        self.taken = []

    def create_batch(self):
        return Batch()

    async def send_batch(self, batch, topic, *, partition):
        self.waiting += 1
        await self.door.wait()
        self.taken.append(batch.records)
        return asyncio.get_running_loop().create_future()


async def test_a_batch_outlives_whoever_was_handing_it_over():
    producer, told = Producer(), []
    lane = Lane(producer, "t", 0, lambda _topic, _delivery, records: told.append(records))
    lane.append(b"k", b"one", 0)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        leaver = group.create_task(lane.hand_over())
        await eventually(lambda: producer.waiting == 1)
        leaver.cancel()
        lane.append(b"k", b"two", 0)
        stayer = group.create_task(lane.hand_over())
        await eventually(lambda: producer.waiting == 2)
        producer.door.set()
        assert await stayer is not None
    assert producer.taken == [[b"one"], [b"two"]]
    assert told == [1, 1]


async def test_what_a_cancelled_flush_leaves_is_the_next_ones():
    producer = Producer()
    publisher = Publisher(KafkaSettings(), "test", SystemClock())
    lanes = [Lane(producer, "t", number, lambda *_: None) for number in range(3)]
    for lane in lanes:
        lane.append(b"k", b"one", 0)
        publisher._waiting[lane] = None
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        leaver = group.create_task(publisher.flush())
        await eventually(lambda: producer.waiting == 1)
        leaver.cancel()
    producer.door.set()
    await publisher.flush()
    assert producer.taken == [[b"one"]] * 3
