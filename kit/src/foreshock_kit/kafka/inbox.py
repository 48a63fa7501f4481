"""What a member reads: decoded, counted, its gaps noticed, its rubbish put aside."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from aiokafka import TopicPartition

from foreshock_kit.kafka.dead_letters import DeadLetters
from foreshock_kit.kafka.merging import Merger
from foreshock_kit.kafka.metrics import CONSUMED, EXPIRED
from foreshock_kit.kafka.positions import Start
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import MOST_RECORDS, Batches
from foreshock_kit.kafka.records import Decode, Record, read_all
from foreshock_kit.logs import get_logger
from foreshock_schemas.topics import Topic

_topic = attrgetter("topic")
_where = attrgetter("topic", "partition")
_log = get_logger(__name__)


def note_expired(where: TopicPartition, records: int, *, going_on_at: int) -> None:
    """Record that retention was faster than we: a gap is a fact, never silent."""
    EXPIRED.labels(where.topic).inc(records)
    _log.error(
        "kafka_records_expired",
        topic=where.topic,
        partition=where.partition,
        records=records,
        going_on_at=going_on_at,
    )


class Inbox:
    """Turns what was polled into records in order, and unreadable ones into dead letters."""

    def __init__(self, topics: Sequence[Topic], publisher: Publisher, decode: Decode) -> None:
        self._decode = decode
        self._topics = {topic.name: topic for topic in topics}
        self._dead_letters = DeadLetters(topics, publisher)
        self._merger = Merger()
        self._live_from: dict[TopicPartition, int] = {}
        self.fetched: dict[TopicPartition, int] = {}
        self.handed: dict[TopicPartition, int] = {}

    def restart(self, starts: Mapping[TopicPartition, Start]) -> None:
        """Forget all that is held and all positions but these."""
        self._merger = Merger(starts)
        self._live_from = {where: start.live_from for where, start in starts.items()}
        self.fetched = {where: start.offset for where, start in starts.items()}
        self.handed = dict(self.fetched)

    def put(self, batches: Batches, waited_s: float) -> None:
        """Hold what a poll brought after `waited_s` of waiting."""
        self._dead_letters.seen(batches)
        for where, many in batches.items():
            skipped = many[0].offset - self.fetched[where]
            if skipped > 0 and self._topics[where.topic].cleanup == "delete":
                note_expired(where, skipped, going_on_at=many[0].offset)
            self.fetched[where] = many[-1].offset + 1
        self._merger.put(batches, waited_s)

    def ready(self, behind: Collection[TopicPartition]) -> Iterator[Sequence[Any]]:
        """Yield what may be handed over now, 2,000 records at most at a time."""
        raws = self._merger.take(behind)
        for first in range(0, len(raws), MOST_RECORDS):
            yield raws[first : first + MOST_RECORDS]

    def full(self) -> set[TopicPartition]:
        """Return the partitions that are to be read no further for now."""
        return self._merger.full()

    def holds(self, where: TopicPartition) -> bool:
        """Return whether something of a partition was fetched and not yet handed over."""
        return self._merger.holds(where)

    async def read(self, raws: Iterable[Any]) -> list[Record]:
        """Decode records; what cannot be read is in the dead-letter topic afterwards.

        Raises:
            DeadLetterLimit: too much of a topic is unreadable.
            Transient: a dead letter was not acknowledged.
        """
        records: list[Record] = []
        letters, in_trouble = self._dead_letters, self._dead_letters.in_trouble
        for item in read_all(raws, self._topics, self._live_from, self._decode):
            if isinstance(item, Record):
                records.append(item)
                if in_trouble:
                    letters.readable(item.topic.name)
            elif item.offset >= self._live_from.get(item.where, 0):
                await letters.put_aside(item)
        return records

    def done(self, raws: Sequence[Any]) -> dict[TopicPartition, Any]:
        """Note that records were handed over; return each partition's last that is new."""
        for topic, count in Counter(map(_topic, raws)).items():
            CONSUMED.labels(topic).inc(count)
        last = {
            TopicPartition(*where): raw
            for where, raw in dict(zip(map(_where, raws), raws, strict=True)).items()
        }
        self.handed |= {where: raw.offset + 1 for where, raw in last.items()}
        return {where: raw for where, raw in last.items() if raw.offset >= self._live_from[where]}
