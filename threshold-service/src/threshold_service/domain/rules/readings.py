"""One venue's open interest over the last quarter of an hour."""

from heapq import heappop, heappush
from typing import Final

import msgspec

from foreshock_schemas.events import OpenInterest

WINDOW_MS: Final = 900_000
TOLERANCE_MS: Final = 60_000
"""How far from the start of the window a reading may lie to stand for it."""

FRESH_MS: Final = 90_000
"""How old a reading may be to stand for now: polls come every minute, or half a minute late."""

_SLOT_MS: Final = 10_000
_KEPT_MS: Final = WINDOW_MS + FRESH_MS + TOLERANCE_MS
_REACH: Final = TOLERANCE_MS // _SLOT_MS


class Readings(msgspec.Struct):
    """The latest reading of every 10 s.

    Readings older than needed are dropped, and those that later ones cannot be compared with.
    """

    latest: OpenInterest | None = None
    _slots: dict[int, OpenInterest] = msgspec.field(default_factory=dict)
    _order: list[int] = msgspec.field(default_factory=list)
    _comparable_since_ms: int = 0

    def add(self, reading: OpenInterest) -> None:
        """Keep a reading, if it can be compared with those kept."""
        at_ms = reading.ts_event_ms
        if reading.comparable_since_ms > self._comparable_since_ms:
            self._forget_before(reading.comparable_since_ms)
        if at_ms < self._comparable_since_ms:
            return
        if self.latest is None or at_ms >= self.latest.ts_event_ms:
            self.latest = reading
        slot = at_ms // _SLOT_MS
        held = self._slots.get(slot)
        if held is None:
            heappush(self._order, slot)
        if held is None or at_ms >= held.ts_event_ms:
            self._slots[slot] = reading
        oldest = (self.latest.ts_event_ms - _KEPT_MS) // _SLOT_MS
        while self._order[0] < oldest:
            del self._slots[heappop(self._order)]

    def fresh(self, now_ms: int) -> OpenInterest | None:
        """Return the latest reading unless it is too old to stand for `now_ms`."""
        latest = self.latest
        return latest if latest and now_ms - latest.ts_event_ms <= FRESH_MS else None

    def before(self, now_ms: int) -> OpenInterest | None:
        """Return the reading nearest to 15 min before `now_ms`, None if none is near."""
        target_ms = now_ms - WINDOW_MS
        middle = target_ms // _SLOT_MS
        near = [
            reading
            for slot in range(middle - _REACH, middle + _REACH + 1)
            if (reading := self._slots.get(slot)) is not None
            and abs(reading.ts_event_ms - target_ms) <= TOLERANCE_MS
        ]
        return min(near, key=lambda each: abs(each.ts_event_ms - target_ms), default=None)

    def _forget_before(self, since_ms: int) -> None:
        self._comparable_since_ms = since_ms
        self._slots = {s: r for s, r in self._slots.items() if r.ts_event_ms >= since_ms}
        self._order = sorted(self._slots)
        if self.latest is not None and self.latest.ts_event_ms < since_ms:
            self.latest = None
