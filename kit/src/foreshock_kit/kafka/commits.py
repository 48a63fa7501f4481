"""Offsets on their way to the group coordinator."""

from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, UnknownMemberIdError

from foreshock_kit.clock import Clock
from foreshock_kit.kafka.connection import bounded
from foreshock_kit.kafka.metrics import COMMITS_DROPPED
from foreshock_kit.kafka.publishing import Publishing
from foreshock_kit.logs import get_logger

_EVERY_S: Final = 1.0
_COMMIT_S: Final = 10.0

_log = get_logger(__name__)


class Commits:
    """Remembers what is done and commits it about once a second, after a flush.

    The commit's metadata is the Kafka timestamp (ms) of the last record done, so that a
    restart knows the time that the offset stands for.
    """

    def __init__(self, consumer: AIOKafkaConsumer, publisher: Publishing, clock: Clock) -> None:
        self._consumer = consumer
        self._publisher = publisher
        self._clock = clock
        self._pending: dict[TopicPartition, tuple[int, str]] = {}
        self._due_s = clock.monotonic()

    def done(self, partition: TopicPartition, next_offset: int, timestamp_ms: int) -> None:
        """Note that all before `next_offset` is done."""
        self._pending[partition] = next_offset, str(timestamp_ms)

    async def write_if_due(self) -> None:
        """Commit if the last time is a second ago."""
        if self._pending and self._clock.monotonic() >= self._due_s:
            await self.write()

    async def write(self) -> None:
        """Flush what was published, then commit what is still ours.

        Raises:
            Transient: the broker acknowledges nothing within 10 s, or does not take the commit.
        """
        await self._publisher.flush()
        ours = self._consumer.assignment()
        offsets = {where: what for where, what in self._pending.items() if where in ours}
        self._pending.clear()
        self._due_s = self._clock.monotonic() + _EVERY_S
        if not offsets:
            return
        async with bounded(_COMMIT_S, "committing"):
            try:
                await self._consumer.commit(offsets)
            except (CommitFailedError, IllegalStateError, UnknownMemberIdError) as error:
                COMMITS_DROPPED.inc()
                _log.warning("kafka_commit_dropped", why=repr(error))
