"""What each record means to the detectors: the one place that routes them."""

from collections.abc import Iterable, Sequence

from foreshock_schemas.events import (
    Bar,
    Event,
    Evidence,
    Liquidation,
    MarketStats,
    OpenInterest,
    Signal,
    Threshold,
)
from threshold_service.domain.book import Book
from threshold_service.domain.cascade import CascadeDetector
from threshold_service.domain.engine import BaselinePrd, Fixed, Method
from threshold_service.domain.liquidation import LiquidationDetector
from threshold_service.domain.open_interest import OpenInterestDetector
from threshold_service.domain.volume import VolumeDetector

Output = Threshold | Signal


class Detection:
    """Limits and signals of the coins of one partition, from the log alone."""

    def __init__(self, method: Method, *, volume: bool = True) -> None:
        self._book = Book(method)
        self._single = LiquidationDetector(self._book)
        self._cascade = CascadeDetector(self._book)
        self._volume = VolumeDetector(self._book) if volume else None
        self._open_interest = OpenInterestDetector(self._book)

    def on_event(self, event: Event, evidence: Evidence) -> Sequence[Output]:
        """Return what follows from a record; `evidence` says where it lies."""
        output: Output | None = None
        if isinstance(event, Bar):
            output = self._volume.on_bar(event, evidence) if self._volume else None
        elif isinstance(event, Liquidation):
            single = self._single.on_liquidation(event, evidence)
            cascade = self._cascade.on_liquidation(event, evidence)
            return [signal for signal in (single, cascade) if signal is not None]
        elif isinstance(event, OpenInterest):
            output = self._open_interest.on_reading(event, evidence)
        elif isinstance(event, MarketStats):
            output = self._book.on_stats(event)
        return () if output is None else (output,)


class Partitions:
    """A `Detection` for every partition that this member owns.

    All topics have the same partitions, so a coin's records meet in one; what is handed
    over and comes back is rebuilt from nothing.
    """

    def __init__(self, *, dynamic: bool, volume: bool = True) -> None:
        self._volume = volume
        self._method: Method = BaselinePrd() if dynamic else Fixed()
        self._owned: dict[int, Detection] = {}

    def on_event(self, event: Event, evidence: Evidence) -> Sequence[Output]:
        """Return what follows from a record of a partition."""
        detection = self._owned.get(evidence.partition)
        if detection is None:
            detection = Detection(self._method, volume=self._volume)
            self._owned[evidence.partition] = detection
        return detection.on_event(event, evidence)

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop the state of partitions."""
        for partition in partitions:
            self._owned.pop(partition, None)
