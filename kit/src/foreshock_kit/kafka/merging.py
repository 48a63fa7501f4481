"""One order for the records of many partitions: the oldest Kafka timestamps first."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import Any, Final

from aiokafka import TopicPartition

from foreshock_kit.kafka.reader import Batches

Dated = tuple[int, TopicPartition, Any]
"""A record's date, where it lies, and itself as aiokafka has it.

The date is the latest Kafka timestamp of its partition so far, so that sorting by it keeps the
log's order also where timestamps go back.
"""

_FULL: Final = 2_000
_SILENT_S: Final = 2.0
_NEVER: Final = float("inf")

_date = itemgetter(0)


def merged(batches: Batches) -> list[Dated]:
    """Return one poll's records in order, whatever is unread elsewhere."""
    merger = Merger(batches)
    merger.put(batches, 0.0)
    return merger.take(())


class Merger:
    """Holds back what is newer than something that is still unread elsewhere.

    A partition with more to read bounds all others by the latest date that it has brought. One
    that brings nothing in 2 s of waiting bounds none: what seems unread was compacted away, or
    its broker does not answer. Who reads has to pause the partitions that are `full`.
    """

    def __init__(self, partitions: Iterable[TopicPartition] = ()) -> None:
        self._queues = {where: _Queue() for where in partitions}

    def put(self, batches: Batches, waited_s: float) -> None:
        """Take a poll's records; `waited_s` is how long the poll waited for them."""
        for where, queue in self._queues.items():
            many = batches.get(where)
            if many:
                queue.append(where, many)
            else:
                queue.silent_s += waited_s

    def take(self, behind: Collection[TopicPartition]) -> list[Dated]:
        """Return what nothing unread can come before, in order, and keep the rest.

        `behind` are the partitions that have more to read.
        """
        horizon = self._horizon(behind)
        ready: list[Dated] = []
        for queue in self._queues.values():
            if queue.held:
                ready += queue.until(horizon)
        ready.sort(key=_date)
        return ready

    def full(self) -> set[TopicPartition]:
        """Return the partitions that hold enough for now."""
        return {where for where, queue in self._queues.items() if len(queue.held) >= _FULL}

    def holds(self, where: TopicPartition) -> bool:
        """Return whether anything of a partition is held back."""
        return bool(self._queues[where].held)

    def _horizon(self, behind: Collection[TopicPartition]) -> float:
        horizon = _NEVER
        for where, queue in self._queues.items():
            if where not in behind or len(queue.held) >= _FULL:
                queue.silent_s = 0.0
            if where in behind and queue.silent_s < _SILENT_S:
                horizon = min(horizon, queue.latest)
        return horizon


class _Queue:
    __slots__ = ("held", "latest", "silent_s")

    def __init__(self) -> None:
        self.held: list[Dated] = []
        self.latest = 0
        self.silent_s = 0.0

    def append(self, where: TopicPartition, many: Iterable[Any]) -> None:
        latest = self.latest
        for raw in many:
            if raw.timestamp > latest:
                latest = raw.timestamp
            self.held.append((latest, where, raw))
        self.latest = latest
        self.silent_s = 0.0

    def until(self, horizon: float) -> list[Dated]:
        if self.held[-1][0] <= horizon:
            ready, self.held = self.held, []
            return ready
        cut = bisect_right(self.held, horizon, key=_date)
        ready, self.held = self.held[:cut], self.held[cut:]
        return ready
