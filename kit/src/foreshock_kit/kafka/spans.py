"""Reading a stretch of topics in order, without a group, and then ending."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.errors import Stopped, Transient
from foreshock_kit.kafka.cluster import partition_counts
from foreshock_kit.kafka.connection import bounded, stop_client
from foreshock_kit.kafka.merging import Merger
from foreshock_kit.kafka.reader import poll, start_reader
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic

Offsets = Mapping[TopicPartition, int]

_LOOKUP_S: Final = 10.0
_STALLED_S: Final = 30.0
"""How long partitions with more to read may bring nothing."""


@asynccontextmanager
async def open_logs(
    settings: KafkaSettings, topics: Sequence[Topic], *, name: str, stop: asyncio.Event
) -> AsyncIterator["Logs"]:
    """Open all partitions of the topics for reading.

    Raises:
        Stopped: `stop` was set before the broker answered.
        Transient: the broker does not answer when asked for offsets.
    """
    consumer = await start_reader(settings, topics, stop=stop, client_id=name, group_id=None)
    try:
        async with bounded(_LOOKUP_S, "looking up offsets"):
            counts = await partition_counts(settings)
            everywhere = [TopicPartition(t.name, n) for t in topics for n in range(counts[t.name])]
            first = await consumer.beginning_offsets(everywhere)
            ends = await consumer.end_offsets(everywhere)
        yield Logs(consumer, first, ends, stop)
    finally:
        await stop_client(consumer)


class Logs:
    """Partitions, with their first and end offsets as they were when opened."""

    def __init__(
        self, consumer: AIOKafkaConsumer, first: Offsets, ends: Offsets, stop: asyncio.Event
    ) -> None:
        self.first = first
        self.ends = ends
        self._consumer = consumer
        self._stop = stop
        self._clock: Clock = SystemClock()

    async def at(self, times_ms: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return each partition's first offset at or after its time, else its end.

        Raises:
            Transient: the broker does not answer within 10 s.
        """
        async with bounded(_LOOKUP_S, "looking up offsets"):
            wanted = {where: max(0, at_ms) for where, at_ms in times_ms.items()}
            found = await self._consumer.offsets_for_times(wanted) if wanted else {}
        return {
            where: self.ends[where] if at is None else min(at.offset, self.ends[where])
            for where, at in found.items()
        }

    async def read(self, starts: Offsets, ends: Offsets) -> AsyncIterator[Sequence[Any]]:
        """Yield aiokafka's records from `starts` to before `ends`, the oldest timestamps first.

        Raises:
            Stopped: `stop` was set before the end.
            Transient: the broker brings nothing for 30 s.
        """
        left = {where for where, start in starts.items() if start < ends[where]}
        merger = Merger(left, patience_s=_STALLED_S)
        self._consumer.assign(left)
        for where in left:
            self._consumer.seek(where, starts[where])
        while left:
            if self._stop.is_set():
                raise Stopped
            asked_s = self._clock.monotonic()
            batches = {
                where: [raw for raw in many if raw.offset < ends[where]]
                for where, many in (await poll(self._consumer)).items()
            }
            merger.put(batches, self._clock.monotonic() - asked_s)
            if merger.silent(left):
                raise Transient(f"Kafka: {len(left)} partitions bring nothing for {_STALLED_S:g} s")
            left = await self._unread(left, ends)
            if raws := merger.take(left):
                yield raws
            self._consumer.pause(*self._consumer.assignment() - (left - merger.full()))
            self._consumer.resume(*left - merger.full())

    async def _unread(self, left: set[TopicPartition], ends: Offsets) -> set[TopicPartition]:
        async with bounded(_LOOKUP_S, "asking for positions"):
            return {w for w in left if await self._consumer.position(w) < ends[w]}
