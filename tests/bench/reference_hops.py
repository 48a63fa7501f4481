"""One record's way over three topics and one acknowledged write, by bare aiokafka."""

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

TOPICS = ["bench.hop.1", "bench.hop.2", "bench.hop.3", "bench.ledger"]


async def create(kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in TOPICS])
    await admin.close()


async def relay(kafka, topic, on_value):
    options = {"fetch_max_wait_ms": 50, "auto_offset_reset": "earliest"}
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, **options) as consumer:
        async for record in consumer:
            await on_value(record.value)


class Road:
    """Relays each record from topic to topic, and notes how long the whole way took."""

    def __init__(self, producer):
        self.producer = producer
        self.delays = []

    def handlers(self):
        return {
            "bench.hop.1": self.on_first,
            "bench.hop.2": self.on_second,
            "bench.hop.3": self.on_last,
        }

    async def on_first(self, value):
        await self.producer.send_and_wait("bench.hop.2", value)

    async def on_second(self, value):
        await self.producer.send_and_wait("bench.hop.3", value)

    async def on_last(self, value):
        await self.producer.send_and_wait("bench.ledger", value)
        self.delays.append((time.monotonic_ns() - int(value)) / 1e6)


async def run(task):
    kafka = task["kafka"]
    await create(kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    async with producer, asyncio.TaskGroup() as group:
        road = Road(producer)
        relays = [group.create_task(relay(kafka, *each)) for each in road.handlers().items()]
        for _ in range(task["times"]):
            await producer.send("bench.hop.1", str(time.monotonic_ns()).encode())
            await asyncio.sleep(task["every_s"])
        await asyncio.sleep(1)
        for each in relays:
            each.cancel()
    return road.delays


for line in sys.stdin:
    print(json.dumps(asyncio.run(run(json.loads(line)))), flush=True)
