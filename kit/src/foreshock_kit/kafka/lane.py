"""One partition's way to the broker: an open batch, and the order of those before it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from foreshock_kit.kafka.partitioning import partition_of

Delivery = asyncio.Future[Any]

_KEYS_REMEMBERED: Final = 4_096


class Lane:
    """Appends to the open batch of one partition and hands batches over in order.

    `on_handed_over` is told each batch's future and record count.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        on_handed_over: Callable[[str, Delivery, int], None],
    ) -> None:
        self.topic = topic
        self._producer = producer
        self._partition = partition
        self._on_handed_over = on_handed_over
        self._open: BatchBuilder | None = None
        self._leaving: deque[_Leaving] = deque()
        self._turn = asyncio.Lock()

    def append(self, key: bytes, value: bytes, timestamp_ms: int) -> bool:
        """Put a record in the open batch; False when that is full."""
        batch = self._open
        if batch is None:
            batch = self._open = self._producer.create_batch()
        return batch.append(timestamp=timestamp_ms, key=key, value=value) is not None

    async def hand_over(self) -> Delivery | None:
        """Give the open batch to the producer; waits while an earlier one is not yet taken.

        Whoever is cancelled meanwhile leaves it to the next that hands over.

        Returns:
            What resolves when the broker has acknowledged it; None if nothing was open.
        """
        batch, self._open = self._open, None
        mine = None if batch is None else _Leaving(batch)
        if mine is not None:
            self._leaving.append(mine)
        async with self._turn:
            while self._leaving:
                await self._send(self._leaving[0])
                self._leaving.popleft()
        return None if mine is None else mine.delivery

    async def _send(self, leaving: "_Leaving") -> None:
        batch = leaving.batch
        batch.close()
        leaving.delivery = await self._producer.send_batch(
            batch, self.topic, partition=self._partition
        )
        self._on_handed_over(self.topic, leaving.delivery, batch.record_count())


class _Leaving:
    __slots__ = ("batch", "delivery")

    def __init__(self, batch: BatchBuilder) -> None:
        self.batch = batch
        self.delivery: Delivery | None = None


class Route:
    """One topic's lanes, and the lane of each key met lately."""

    def __init__(self, lanes: tuple[Lane, ...]) -> None:
        self._lanes = lanes
        self._known: dict[str, tuple[Lane, bytes]] = {}

    def lane(self, key: str) -> tuple[Lane, bytes]:
        """Return the lane of a key's partition, and the key's bytes."""
        known = self._known.get(key)
        if known is None:
            raw = key.encode()
            known = self._lanes[partition_of(raw, len(self._lanes))], raw
            if len(self._known) >= _KEYS_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known
