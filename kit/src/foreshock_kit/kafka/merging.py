"""One order for the records of many partitions: the oldest Kafka timestamps (receipt) first."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final

from aiokafka import TopicPartition

from foreshock_kit.kafka.reader import Batches

_FULL: Final = 2_000
"""Records of a partition that are held before no more are read from it."""

_SILENT_S: Final = 2.0
_NEVER: Final = float("inf")

_timestamp = attrgetter("timestamp")


def merged(batches: Batches) -> list[Any]:
    """Return one poll's records (aiokafka's) in order, whatever is still unread elsewhere."""
    merger = Merger(batches)
    merger.put(batches, 0.0)
    return merger.take(())


class Merger:
    """Holds back records that are newer than something that may still be unread elsewhere.

    A partition with more to read holds the others back at the latest timestamp that it has
    brought. One that has brought nothing in `patience_s` of waiting holds back none: what seems
    unread was compacted away, or its broker does not answer. The caller pauses what is `full`.
    """

    def __init__(
        self, partitions: Iterable[TopicPartition] = (), *, patience_s: float = _SILENT_S
    ) -> None:
        self._queues = {where: _Queue() for where in sorted(partitions)}
        self._patience_s = patience_s

    def put(self, batches: Batches, waited_s: float) -> None:
        """Take a poll's records; `waited_s` is how long the poll waited for them."""
        for where, queue in self._queues.items():
            many = batches.get(where)
            if many:
                queue.append(many)
            else:
                queue.silent_s += waited_s

    def take(self, behind: Collection[TopicPartition]) -> list[Any]:
        """Return, in order, the records that nothing unread can precede; keep the rest.

        `behind` are the partitions that have more to read.
        """
        horizon = self._horizon(behind)
        dates: list[int] = []
        ready: list[Any] = []
        for queue in self._queues.values():
            if queue.held:
                queue.move(horizon, dates, ready)
        return [ready[at] for at in sorted(range(len(ready)), key=dates.__getitem__)]

    def full(self) -> set[TopicPartition]:
        """Return the partitions that hold enough for now."""
        return {where for where, queue in self._queues.items() if len(queue.held) >= _FULL}

    def silent(self, behind: Collection[TopicPartition]) -> bool:
        """Return whether one of these partitions has brought nothing for too long."""
        return any(self._queues[where].silent_s >= self._patience_s for where in behind)

    def holds(self, where: TopicPartition) -> bool:
        """Return whether anything of a partition is held back."""
        return bool(self._queues[where].held)

    def _horizon(self, behind: Collection[TopicPartition]) -> float:
        horizon = _NEVER
        for where, queue in self._queues.items():
            if where not in behind or len(queue.held) >= _FULL:
                queue.silent_s = 0.0
            if where in behind and queue.silent_s < self._patience_s:
                horizon = min(horizon, queue.latest)
        return horizon


class _Queue:
    """A partition's records, each dated by the latest timestamp so far: the log's order."""

    __slots__ = ("_dates", "held", "latest", "silent_s")

    def __init__(self) -> None:
        self.held: list[Any] = []
        self._dates: list[int] = []
        self.latest = 0
        self.silent_s = 0.0

    def append(self, many: Sequence[Any]) -> None:
        dates = list(accumulate(map(_timestamp, many), max, initial=self.latest))
        self.latest = dates[-1]
        self._dates += dates[1:]
        self.held += many
        self.silent_s = 0.0

    def move(self, horizon: float, dates: list[int], ready: list[Any]) -> None:
        """Move what is dated up to `horizon`."""
        cut = bisect_right(self._dates, horizon)
        dates += self._dates[:cut]
        ready += self.held[:cut]
        del self._dates[:cut], self.held[:cut]
