"""What a member reads: decoded, counted, its gaps noticed, its rubbish put aside."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from foreshock_kit.kafka.metrics import CONSUMED, DEAD_LETTERS, EXPIRED
from foreshock_kit.kafka.positions import Start
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import Batches
from foreshock_kit.kafka.records import DeadLetterBudget, Decode, Record, Unreadable, read_all
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
        self._publisher = publisher
        self._budgets = {name: DeadLetterBudget(name) for name in self._topics}
        self._in_trouble: set[str] = set()
        self._next: dict[TopicPartition, int] = {}
        self._live_from: dict[TopicPartition, int] = {}
        for name in self._topics:
            DEAD_LETTERS.labels(name, "undecodable")  # a first one shows only as a rise from 0

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
        records: list[Record] = []
        in_trouble = self._in_trouble
        for item in read_all(batches, self._topics, self._live_from, self._decode):
            if isinstance(item, Record):
                records.append(item)
                if in_trouble and item.topic.name in in_trouble:
                    in_trouble.remove(item.topic.name)
                    self._budgets[item.topic.name].readable()
            else:
                in_trouble.add(item.topic.name)
                await self._put_aside(item)
        return records

    def _follow(self, batches: Batches) -> None:
        for where, many in batches.items():
            expected = self._next[where]
            skipped = many[0].offset - expected
            if skipped > 0 and self._topics[where.topic].cleanup == "delete":
                note_expired(where, skipped, going_on_at=many[0].offset)
            self._next[where] = many[-1].offset + 1
            self._budgets[where.topic].seen(len(many))
            CONSUMED.labels(where.topic).inc(len(many))

    async def _put_aside(self, item: Unreadable) -> None:
        if item.offset < self._live_from.get(TopicPartition(item.topic.name, item.partition), 0):
            return
        DEAD_LETTERS.labels(item.topic.name, "undecodable").inc()
        _log.warning("kafka_dead_letter", **item.headers)
        await self._publisher.dead_letter(item.topic, item.value, item.key, item.headers)
        self._budgets[item.topic.name].unreadable()
