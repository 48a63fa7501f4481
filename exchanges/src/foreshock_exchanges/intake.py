"""From frames to events that are new, with a count of everything that came in."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from foreshock_exchanges.base import (
    Adapter,
    Ignored,
    MalformedFrame,
    MarketEvent,
    MarkPrice,
    UnknownInstrument,
)

_REMEMBERED: Final = 50_000
"""Ids kept against repeats: over a minute of the busiest stream recorded, about 5 MB."""


class Intake:
    """One exchange's frames, each taken once.

    Every frame gave events, was ignored, was malformed or named an unknown instrument. Repeated
    ids are dropped and counted in `duplicates`. `on_refused` is told the reason and the frame of
    every one that could not be taken, and of a subscription that the venue refused.
    """

    def __init__(self, adapter: Adapter, on_refused: Callable[[str, bytes], None]) -> None:
        self.frames = 0
        self.events = 0
        self.malformed = 0
        self.unknown_instruments = 0
        self.duplicates = 0
        self.ignored: Counter[Ignored] = Counter()
        self._parse = adapter.parse
        self._on_refused = on_refused
        self._recent: set[str] = set()
        self._older: set[str] = set()

    def take(self, frame: bytes, recv_ms: int) -> list[MarketEvent]:
        """Return a frame's new events; none if it is ignored, refused, or all of it came before."""
        self.frames += 1
        try:
            parsed = self._parse(frame, recv_ms)
        except MalformedFrame as e:
            self.malformed += 1
            self._on_refused(str(e), frame)
            return []
        except UnknownInstrument as e:
            self.unknown_instruments += 1
            self._on_refused(str(e), frame)
            return []
        if isinstance(parsed, Ignored):
            self.ignored[parsed] += 1
            if parsed is Ignored.SUBSCRIBE_ERROR:
                self._on_refused(parsed, frame)
            return []
        return [event for event in parsed if self._is_new(event)]

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Yield what is counted: a name, the reason where there is one, and how many."""
        yield "frames", "", self.frames
        yield "events", "", self.events
        yield "malformed", "", self.malformed
        yield "unknown_instruments", "", self.unknown_instruments
        yield "duplicates", "", self.duplicates
        for reason, count in self.ignored.items():
            yield "ignored", reason, count

    def _is_new(self, event: MarketEvent) -> bool:
        if isinstance(event, MarkPrice):
            return True
        event_id, recent = event.event_id, self._recent
        known = len(recent)
        recent.add(event_id)
        repeated = len(recent) == known or event_id in self._older
        if len(recent) == _REMEMBERED:
            self._older, self._recent = recent, set()
        if repeated:
            self.duplicates += 1
            return False
        self.events += 1
        return True
