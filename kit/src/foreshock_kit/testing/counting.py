"""A service with state, for tests of what becomes of it: it counts each coin's records."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from foreshock_kit.kafka import Record
from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing.member import Member
from foreshock_schemas.topics import Topic


class Tally:
    """Counts each coin's records, each once, and goes on from what it is given back."""

    def __init__(self) -> None:
        self.counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._floors: dict[tuple[str, str], int] = {}

    def on_record(self, record: Record, coin: str) -> int:
        """Return the coin's count, this record included."""
        if record.offset >= self._floors.get((coin, record.log), 0):
            self.counts[record.partition][coin] += 1
        return self.counts[record.partition][coin]

    @property
    def total(self) -> Counter[str]:
        """The counts of all partitions held."""
        return sum(self.counts.values(), Counter[str]())

    def snapshot(self, partition: int) -> Iterable[tuple[str, bytes]]:
        """Return each coin's count."""
        return [(coin, b"%d" % count) for coin, count in self.counts[partition].items()]

    def restore(self, partition: int, coin: str, offsets: Mapping[str, int], state: bytes) -> None:
        """Take a coin's count back."""
        self.counts[partition][coin] = int(state)
        self._floors |= {(coin, log): at for log, at in offsets.items()}

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the counts of partitions."""
        for partition in partitions:
            self.counts.pop(partition, None)


class Counting(Member):
    """A member that tells a coin's count for each record: `told`, in order."""

    def __init__(
        self, kafka: ServiceSettings, topics: Sequence[Topic], name: str, **options: Any
    ) -> None:
        self.tally = Tally()
        self.told: list[tuple[str, int]] = []
        super().__init__(kafka, topics, name, state=self.tally, **options)

    async def on_records(self, records: Sequence[Record]) -> None:
        """Count."""
        for record in records:
            coin = record.topic.key_of(record.event)
            count = self.tally.on_record(record, coin)
            if not record.replayed:
                self.told.append((coin, count))
        await super().on_records(records)
