"""The least that an ingester could do: read a frame, append bytes that are ready to a batch."""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel
from foreshock_kit import logs
from foreshock_kit.kafka.partitioning import partition_of
from foreshock_kit.kafka.publisher import LINGER_S
from foreshock_kit.ws import hold_open
from foreshock_schemas.codec import encode
from foreshock_schemas.topics import TRADES


class Loop:
    """Appends one record after the other, whatever the frames say."""

    def __init__(self, producer, frames, now_ms):
        self.producer = producer
        self.now_ms = now_ms
        self.records = ready(frames, now_ms)
        self.batches = {}
        self.deliveries = []
        self.done = 0
        self.finished = asyncio.Event()
        self.mark = 0.0, 0.0

    async def on_frame(self, frame, since_ms):
        if frame.startswith(b'{"result"'):
            return "other"
        partition, key, value = self.records[self.done]
        batch = self.batches.get(partition)
        while batch is None or batch.append(key=key, value=value, timestamp=self.now_ms) is None:
            if batch is not None:
                await self.send(partition)
            batch = self.batches[partition] = self.producer.create_batch()
        self.done += 1
        if self.done == len(self.records) // 10:
            self.mark = time.process_time(), time.monotonic()
        elif self.done == len(self.records):
            self.finished.set()
        return "market"

    async def send(self, partition):
        batch = self.batches.pop(partition, None)
        if batch is None:
            return
        batch.close()
        sent = await self.producer.send_batch(batch, TRADES.name, partition=partition)
        self.deliveries.append(sent)

    async def linger(self):
        while not self.finished.is_set():
            await asyncio.sleep(LINGER_S)
            for partition in list(self.batches):
                await self.send(partition)


def ready(frames, now_ms):
    parse = load("binance").parse
    trades = (trade for frame in frames for trade in parse(frame, now_ms))
    keyed = ((trade.coin.encode(), trade) for trade in trades)
    return [(partition_of(key, TRADES.partitions), key, encode(trade)) for key, trade in keyed]


async def run(task):
    frames = Path(task["frames"]).read_bytes().splitlines()
    (feed,) = load("binance").feeds(Channel.TRADES, task["symbols"], task["url"])
    producer = AIOKafkaProducer(
        bootstrap_servers=task["kafka"], acks="all", enable_idempotence=True, max_batch_size=131072
    )
    async with producer, asyncio.TaskGroup() as group:
        loop = Loop(producer, frames, time.time_ns() // 1_000_000)
        reading = group.create_task(hold_open("bare", feed, loop.on_frame))
        lingering = group.create_task(loop.linger())
        await loop.finished.wait()
        reading.cancel()
        await lingering
        for partition in list(loop.batches):
            await loop.send(partition)
        await asyncio.wait(loop.deliveries)
        count, (cpu, wall) = len(frames) * 0.9, loop.mark
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        return {"cpu": count / cpu, "wall": count / wall}


logs.configure("bare", "ERROR", "json")
for line in sys.stdin:
    print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)
