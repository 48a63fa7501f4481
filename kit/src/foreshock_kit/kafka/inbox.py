"""What a member reads: decoded, counted, its gaps noticed, its rubbish put aside."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from foreshock_kit.kafka.dead_letters import DeadLetters
from foreshock_kit.kafka.metrics import CONSUMED, EXPIRED
from foreshock_kit.kafka.positions import Start
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import Batches
from foreshock_kit.kafka.records import Decode, Record, read_all
from foreshock_kit.logs import get_logger
from foreshock_schemas.topics import Topic

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
    """Turns what was polled into records, and unreadable ones into dead letters."""

    def __init__(self, topics: Sequence[Topic], publisher: Publisher, decode: Decode) -> None:
        self._decode = decode
        self._topics = {topic.name: topic for topic in topics}
        self._dead_letters = DeadLetters(topics, publisher)
        self._next: dict[TopicPartition, int] = {}
        self._live_from: dict[TopicPartition, int] = {}

    def restart(self, starts: Mapping[TopicPartition, Start]) -> None:
        """Forget all positions but these."""
        self._next = {where: start.offset for where, start in starts.items()}
        self._live_from = {where: start.live_from for where, start in starts.items()}

    def positions(self) -> Iterable[tuple[TopicPartition, int]]:
        """Return the next offset of every partition."""
        return self._next.items()

    async def take(self, batches: Batches) -> list[Record]:
        """Decode a poll's records; what cannot be read is in the dead-letter topic afterwards.

        Raises:
            DeadLetterLimit: too much of a topic is unreadable.
            Transient: a dead letter was not acknowledged.
        """
        self._follow(batches)
        self._dead_letters.seen(batches)
        records: list[Record] = []
        letters, in_trouble = self._dead_letters, self._dead_letters.in_trouble
        for item in read_all(batches, self._topics, self._live_from, self._decode):
            if isinstance(item, Record):
                records.append(item)
                if in_trouble:
                    letters.readable(item.topic.name)
            elif item.offset >= self._live_from.get(item.where, 0):
                await letters.put_aside(item)
        return records

    def _follow(self, batches: Batches) -> None:
        for where, many in batches.items():
            expected = self._next[where]
            skipped = many[0].offset - expected
            if skipped > 0 and self._topics[where.topic].cleanup == "delete":
                note_expired(where, skipped, going_on_at=many[0].offset)
            self._next[where] = many[-1].offset + 1
            CONSUMED.labels(where.topic).inc(len(many))
