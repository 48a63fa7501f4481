"""A service's state in Kafka: snapshots of each coin, with the offsets that they go up to."""

import asyncio
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from aiokafka import TopicPartition

from foreshock_kit.kafka.metrics import STATE_SAVED
from foreshock_kit.kafka.publishing import Publishing
from foreshock_kit.kafka.spans import Offsets
from foreshock_kit.logs import get_logger
from foreshock_schemas.events import StateSnapshot
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import MARKET_PARTITIONS, STATE

Saved = Mapping[int, Mapping[str, StateSnapshot]]
"""The newest snapshots, by partition and coin."""

HOUR_MS: Final = 3_600_000
FIRST_MS: Final = 120_000
"""How soon a state, new or given back, is written after it is whole."""

_APART_MS: Final = 1_000
"""How far apart the first writes of neighbouring partitions lie."""

_QUICK: Final = 1
"""The zlib level: speed before size."""

_log = get_logger(__name__)


class Stateful(Protocol):
    """Something that keeps state by coin, and can take it back.

    Partitions are numbers: partition n of every topic belongs to one member of the group.
    """

    def snapshot(self, partition: int) -> Iterable[tuple[str, bytes]]:
        """Return each coin of a partition with its state after the last record."""
        ...

    def restore(self, partition: int, coin: str, offsets: Mapping[str, int], state: bytes) -> None:
        """Take a coin's state back, before the first record of its partition.

        It holds the records below `offsets` (by "topic:partition", see `Record.log`). They may be
        handed over again for other coins' sake, and must not be applied to this coin twice.

        Raises:
            ValueError: another version wrote it; the coin is then begun anew.
        """
        ...

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the state of partitions."""
        ...


class _Stateless:
    """Keeps nothing."""

    def snapshot(self, _: int) -> Iterable[tuple[str, bytes]]:
        return ()

    def restore(self, *_: object) -> None:
        pass

    def forget(self, _: Collection[int]) -> None:
        pass


class Snapshots:
    """Writes the state of partitions when it is time, and gives it back.

    After a start a state is written at 2, 4, 8, … minutes of age, so that a crash costs at most
    half of what was learned since, however little the topics keep; later every hour, each
    partition at a minute of its own. Time is that of the records.
    """

    def __init__(self, state: Stateful | None, service: str, publisher: Publishing) -> None:
        self._state = state or _Stateless()
        self._keeps = state is not None
        self._service = service
        self._publisher = publisher
        self._times_ms: dict[int, int] = {}
        self._whole_ms: dict[int, int] = {}
        self._due_ms: dict[int, int] = {}

    def restart(self, partitions: Collection[int], saved: Saved, ends: Mapping[str, int]) -> Saved:
        """Drop all state, give back what was saved of these partitions, and return that.

        See `restore`.
        """
        self._state.forget(partitions)
        self._unwatch(self._times_ms)
        self._times_ms.clear()
        self._whole_ms.clear()
        self._due_ms.clear()
        taken = restore(self._state, saved, ends)
        for partition, coins in taken.items():
            for found in coins.values():
                self.passed(partition, found.ts_event_ms)
        if taken:
            _log.info("state_restored", partitions=len(taken), coins=sum(map(len, taken.values())))
        return taken

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the state of partitions that are another member's now."""
        self._state.forget(partitions)
        self._unwatch(partitions)

    def passed(self, partition: int, at_ms: int) -> None:
        """Note the time up to which a partition's records have been handed over."""
        if partition not in self._times_ms:
            self._watch(partition, at_ms)
        self._times_ms[partition] = max(at_ms, self._times_ms.get(partition, 0))

    def due(self) -> set[int]:
        """Return the partitions to write; asked only when the state of all of them is whole."""
        for partition in self._times_ms.keys() - self._due_ms.keys():
            at_ms = self._whole_ms[partition] = self._times_ms[partition]
            self._due_ms[partition] = at_ms + FIRST_MS + partition * _APART_MS
        return {
            partition
            for partition, at_ms in self._times_ms.items()
            if at_ms >= self._due_ms[partition]
        }

    async def write(self, partitions: Collection[int], handed: Offsets) -> None:
        """Publish each coin's state, once everything that followed from it is acknowledged.

        Args:
            partitions: Whose coins.
            handed: The offsets up to which records were handed over.

        Raises:
            Permanent: a coin's state is larger than a record may be.
            Transient: the broker takes nothing any more.
        """
        await self._publisher.flush()
        for partition in self._times_ms.keys() & partitions:
            offsets = {log_of(w): at for w, at in handed.items() if w.partition == partition}
            at_ms = self._times_ms[partition]
            self._due_ms[partition] = self._next(partition, at_ms)
            self._watch(partition, at_ms)
            for coin, state in self._state.snapshot(partition):
                await self._publisher.publish(STATE, self._made(coin, at_ms, offsets, state))
                await asyncio.sleep(0)

    def _next(self, partition: int, at_ms: int) -> int:
        age_ms = at_ms - self._whole_ms.get(partition, 0)
        return min(at_ms + max(age_ms, FIRST_MS), _next_hour(partition, at_ms))

    def _watch(self, partition: int, at_ms: int) -> None:
        if self._keeps:
            STATE_SAVED.labels(partition).set(at_ms / 1000)

    def _unwatch(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            STATE_SAVED.remove(partition)

    def _made(
        self, coin: str, at_ms: int, offsets: Mapping[str, int], state: bytes
    ) -> StateSnapshot:
        places = (part for log in sorted(offsets) for part in (log, offsets[log]))
        return StateSnapshot(
            event_id=derived_id("state", self._service, coin, *places),
            ts_event_ms=at_ms,
            ts_recv_ms=at_ms,
            service=self._service,
            coin=coin,
            offsets=dict(offsets),
            state=zlib.compress(state, _QUICK),
        )


def restore(state: Stateful, saved: Saved, ends: Mapping[str, int]) -> Saved:
    """Give a service back what was saved, and return what it has taken.

    `ends` is where the logs end, by "topic:partition": an offset that lies beyond is left out, for
    then the log was begun anew.
    """
    taken: dict[int, dict[str, StateSnapshot]] = {}
    for partition, coins in saved.items():
        for coin, found in coins.items():
            offsets = {log: at for log, at in found.offsets.items() if at <= ends.get(log, at)}
            try:
                state.restore(partition, coin, offsets, zlib.decompress(found.state))
            except (ValueError, zlib.error) as error:
                _log.warning("snapshot_unusable", coin=coin, why=str(error))
            else:
                taken.setdefault(partition, {})[coin] = found
    return taken


def log_of(where: TopicPartition) -> str:
    """Return how a snapshot names a partition of a topic."""
    return f"{where.topic}:{where.partition}"


def _next_hour(partition: int, at_ms: int) -> int:
    """Return when the partition's next hour begins: those of others begin at other minutes."""
    ahead_ms = partition * HOUR_MS // MARKET_PARTITIONS
    return ((at_ms + ahead_ms) // HOUR_MS + 1) * HOUR_MS - ahead_ms
