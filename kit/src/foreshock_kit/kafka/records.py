"""From a broker's bytes to events, and what becomes of those that are none."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

from foreshock_schemas.codec import Undecodable
from foreshock_schemas.events import Event, Evidence
from foreshock_schemas.figures import impossible
from foreshock_schemas.topics import Topic

Decode = Callable[[bytes], Event]

_CAUSE_CHARACTERS: Final = 300


class Record(msgspec.Struct, frozen=True, gc=False):
    """An event where it lies in Kafka.

    `replayed`: it lies below the committed offset, so it has been acted upon before: rebuild
    state from it and publish nothing.
    """

    topic: Topic
    partition: int
    offset: int
    event: Event
    replayed: bool = False

    @property
    def log(self) -> str:
        """How a snapshot names where this lies: "topic:partition"."""
        return f"{self.topic.name}:{self.partition}"

    @property
    def evidence(self) -> Evidence:
        """Where a signal that rests on this record says that it lies."""
        return Evidence(
            topic=self.topic.name,
            partition=self.partition,
            offset=self.offset,
            event_id=self.event.event_id,
        )


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A record that is no event, and why."""

    topic: Topic
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    cause: str

    @property
    def where(self) -> TopicPartition:
        """The partition that it lies in."""
        return TopicPartition(self.topic.name, self.partition)

    @property
    def headers(self) -> dict[str, str]:
        """What whoever looks at the dead letter needs to find the record again."""
        return {
            "topic": self.topic.name,
            "partition": str(self.partition),
            "offset": str(self.offset),
            "timestamp_ms": str(self.timestamp_ms),
            "error": self.cause,
        }


def read(topic: Topic, raw: Any, replayed: bool, decode: Decode) -> Record | Unreadable | None:
    """Decode one aiokafka record; None for a compacted topic's tombstone."""
    if raw.value is None and "compact" in topic.cleanup:
        return None
    try:
        event = decode(raw.value or b"")
        if not isinstance(event, topic.event):
            raise Undecodable(f"{type(event).__name__} on {topic.name}")  # noqa: TRY301
        if wrong := impossible(event):
            raise Undecodable(wrong)  # noqa: TRY301
    except Undecodable as error:
        cause = str(error)[:_CAUSE_CHARACTERS]
        where = topic, raw.partition, raw.offset, raw.timestamp
        return Unreadable(*where, raw.key, raw.value, cause)
    return Record(topic, raw.partition, raw.offset, event, replayed)


def read_all(
    raws: Iterable[Any],
    topics: Mapping[str, Topic],
    replay_until: Mapping[tuple[str, int], int],
    decode: Decode,
) -> Iterator[Record | Unreadable]:
    """Decode records in the order given; those before `replay_until` come with `replayed`."""
    for raw in raws:
        replayed = raw.offset < replay_until.get((raw.topic, raw.partition), 0)
        record = read(topics[raw.topic], raw, replayed, decode)
        if record is not None:
            yield record
