"""What becomes of records that cannot be read: kept aside, within limits."""

from collections.abc import Sequence
from typing import Final

from foreshock_kit.errors import DeadLetterLimit
from foreshock_kit.kafka.metrics import DEAD_LETTERS
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import Batches
from foreshock_kit.kafka.records import Unreadable
from foreshock_kit.logs import get_logger
from foreshock_schemas.topics import Topic

CONSECUTIVE_LIMIT: Final = 100
RATIO_LIMIT: Final = 0.1
_RATIO_OVER: Final = 2_000

_log = get_logger(__name__)


class DeadLetters:
    """Keeps what some topics' readers cannot read, byte for byte, in their dead-letter topics."""

    def __init__(self, topics: Sequence[Topic], publisher: Publisher) -> None:
        self._publisher = publisher
        self._budgets = {topic.name: DeadLetterBudget(topic.name) for topic in topics}
        self.in_trouble: set[str] = set()
        for topic in topics:
            DEAD_LETTERS.labels(topic.name, "undecodable")  # a first shows only as a rise from 0

    def seen(self, batches: Batches) -> None:
        """Count what was polled, readable or not."""
        for where, many in batches.items():
            self._budgets[where.topic].seen(len(many))

    def readable(self, topic: str) -> None:
        """Note a record that could be read; worth a call only while something is in trouble."""
        if topic in self.in_trouble:
            self.in_trouble.remove(topic)
            self._budgets[topic].readable()

    async def put_aside(self, item: Unreadable) -> None:
        """Keep a record that cannot be read, with its cause.

        Raises:
            DeadLetterLimit: too much of its topic is unreadable.
            Transient: it was not acknowledged.
        """
        name = item.topic.name
        self.in_trouble.add(name)
        DEAD_LETTERS.labels(name, "undecodable").inc()
        _log.warning("kafka_dead_letter", **item.headers)
        await self._publisher.dead_letter(item.topic, item.value, item.key, item.headers)
        self._budgets[name].unreadable()


class DeadLetterBudget:
    """How much of one topic may be unreadable before reading it must stop."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._in_a_row = 0
        self._seen = 0
        self._unreadable = 0

    def readable(self) -> None:
        """End a row of unreadable records."""
        self._in_a_row = 0

    def seen(self, records: int) -> None:
        """Count records, readable or not; old ones are forgotten by halves."""
        self._seen += records
        while self._seen >= 2 * _RATIO_OVER:
            self._seen //= 2
            self._unreadable //= 2

    def unreadable(self) -> None:
        """Note one that could not be read.

        Raises:
            DeadLetterLimit: 100 in a row, or a tenth of the last 2,000 to 4,000.
        """
        self._in_a_row += 1
        self._unreadable += 1
        if self._in_a_row >= CONSECUTIVE_LIMIT:
            raise DeadLetterLimit(f"{self._topic}: {self._in_a_row} unreadable records in a row")
        if self._unreadable > RATIO_LIMIT * max(self._seen, _RATIO_OVER):
            raise DeadLetterLimit(
                f"{self._topic}: {self._unreadable} of the last {self._seen} records unreadable"
            )
