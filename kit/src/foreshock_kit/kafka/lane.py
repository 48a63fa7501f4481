"""One partition's way to the broker: an open batch, and the order of those before it."""

import asyncio
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
        self._turn = asyncio.Lock()

    def append(self, key: bytes, value: bytes, timestamp_ms: int) -> bool:
        """Put a record in the open batch; False when that is full."""
        batch = self._open
        if batch is None:
            batch = self._open = self._producer.create_batch()
        return batch.append(timestamp=timestamp_ms, key=key, value=value) is not None

    async def hand_over(self) -> Delivery | None:
        """Give the open batch to the producer; waits while an earlier one is not yet taken.

        Returns:
            What resolves when the broker has acknowledged it; None if nothing was open.
        """
        batch, self._open = self._open, None
        async with self._turn:
            if batch is None:
                return None
            batch.close()
            delivery: Delivery = await self._producer.send_batch(
                batch, self.topic, partition=self._partition
            )
            self._on_handed_over(self.topic, delivery, batch.record_count())
            return delivery


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
