"""One member of a consumer group, for tests of what reaches a service."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher, Record, consume
from foreshock_kit.service import Context
from foreshock_kit.settings import ServiceSettings
from foreshock_schemas.topics import Topic


class Member:
    """A service that keeps what it is handed: `records` are those of this run.

    Args:
        kafka: Where the broker is; `instance_id` tells members of one group apart.
        topics: What to read.
        name: The service's, and so its group's; one that nobody else has unless told.
        within_s: How long the run may take.
        options: For `consume`.
    """

    def __init__(
        self,
        kafka: ServiceSettings,
        topics: Sequence[Topic],
        name: str | None = None,
        *,
        within_s: float = 40.0,
        **options: Any,
    ) -> None:
        self.context = Context(name=name or f"t{uuid.uuid4().hex}", clock=SystemClock())
        self.records: list[Record] = []
        self._arrived = asyncio.Event()
        self._kafka, self._topics, self._options = kafka, topics, options
        self._within_s = within_s

    async def on_records(self, records: Sequence[Record]) -> None:
        """Keep what is handed over."""
        self.records.extend(records)
        self._arrived.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Member"]:
        """Consume while the block runs; what ends it early leaves in an ExceptionGroup."""
        async with (
            asyncio.timeout(self._within_s),
            Publisher(self._kafka, self.context.name, self.context.clock) as publisher,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(
                consume(
                    self._kafka,
                    self.context,
                    topics=self._topics,
                    on_records=self.on_records,
                    publisher=publisher,
                    **self._options,
                )
            )
            yield self
            self.context.stop.set()

    async def until(self, records: int) -> None:
        """Wait until so many have been handed over."""
        while len(self.records) < records:
            self._arrived.clear()
            await self._arrived.wait()

    def ids(self, *, replayed: bool = False) -> list[str]:
        """Return the ids of what was handed over: new, or read again to rebuild the state."""
        return [each.event.event_id for each in self.records if each.replayed is replayed]
