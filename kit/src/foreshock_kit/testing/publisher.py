"""A publisher that keeps everything, for tests of services."""

from foreshock_schemas.events import Event
from foreshock_schemas.topics import Topic


class MemoryPublisher:
    """Keeps (topic, event) pairs in order, as `foreshock_kit.kafka.Publishing` would send them.

    `sent` are those whose acknowledgement was waited for; `flushed` counts those that a
    `flush` or `send` has covered.
    """

    def __init__(self) -> None:
        self.records: list[tuple[Topic, Event]] = []
        self.sent: list[tuple[Topic, Event]] = []
        self.flushed = 0

    async def publish(self, topic: Topic, event: Event) -> None:
        """Keep an event."""
        self.records.append((topic, event))

    async def send(self, topic: Topic, event: Event) -> None:
        """Keep an event, as acknowledged."""
        self.records.append((topic, event))
        self.sent.append((topic, event))
        self.flushed = len(self.records)

    async def flush(self) -> None:
        """Note that all so far is acknowledged."""
        self.flushed = len(self.records)

    def on(self, topic: Topic) -> list[Event]:
        """Return the events of one topic, in order."""
        return [event for where, event in self.records if where is topic]
