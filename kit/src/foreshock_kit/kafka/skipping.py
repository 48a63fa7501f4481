"""Telling of records that a reader passes over, without a line for each."""

from typing import Final, Self

from structlog.stdlib import BoundLogger

from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.kafka.records import Unreadable

_EVERY_S: Final = 1.0
_MOST_KINDS: Final = 50
"""So many are told one by one; a cause may hold a value of its record, so that all differ."""


class Skips:
    """Logs the first unreadable record of each cause and partition, and counts the others.

    How many more there were is logged at most once a second, and at the end of its `with` block.
    """

    def __init__(self, logger: BoundLogger, clock: Clock | None = None) -> None:
        self._logger = logger
        self._clock = clock or SystemClock()
        self._kinds: set[tuple[str, int, str]] = set()
        self._more = 0
        self._quiet_until_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._count()

    def note(self, item: Unreadable) -> None:
        """Log or count a record."""
        kind = item.topic.name, item.partition, item.cause
        if kind not in self._kinds and len(self._kinds) < _MOST_KINDS:
            self._kinds.add(kind)
            self._logger.warning("kafka_record_skipped", **item.headers)
        else:
            self._more += 1

    def tell(self) -> None:
        """Log how many more there were, if the last such line is a second old."""
        if self._more and self._clock.monotonic() >= self._quiet_until_s:
            self._quiet_until_s = self._clock.monotonic() + _EVERY_S
            self._count()

    def _count(self) -> None:
        if self._more:
            self._logger.warning("kafka_records_skipped", more=self._more)
            self._more = 0
