"""Rolling sums, and episodes above a limit: what the original requirements' rules count with.

Money is counted in whole cents. Sums are then exact, whatever was added and dropped before, so
that a window rebuilt from the log equals one that was never interrupted.
"""

from bisect import bisect_left
from operator import attrgetter
from typing import Final

import msgspec

MOST_USD: Final = 1e13
"""No amount as large as this can be believed."""

_ms = attrgetter("ms")


class Entry(msgspec.Struct, gc=False, array_like=True):
    """What was counted in one millisecond."""

    ms: int
    cents: int = 0
    tally: int = 0


class RollingSum(msgspec.Struct):
    """Cents and a tally over the last `span_ms`, by the latest event time seen.

    A late event within the span counts; an older one does not. Memory is bounded by the
    span: what shares a millisecond is one entry.
    """

    span_ms: int
    latest_ms: int = 0
    cents: int = 0
    tally: int = 0
    entries: list[Entry] = []
    _latest_of: dict[str, int] = msgspec.field(default_factory=dict)

    def advance(self, ms: int) -> None:
        """Drop what lies a whole span or more before `ms`; time never goes back."""
        if ms > self.latest_ms:
            self.latest_ms = ms
        oldest_ms, old = self.latest_ms - self.span_ms, 0
        for entry in self.entries:
            if entry.ms > oldest_ms:
                break
            self.cents -= entry.cents
            self.tally -= entry.tally
            old += 1
        if old:
            del self.entries[:old]

    def covers(self, ms: int) -> bool:
        """Return whether an event of this time still counts."""
        return ms > self.latest_ms - self.span_ms

    def add(self, ms: int, tag: str, cents: int, tally: int) -> None:
        """Count an event that the window covers."""
        entry = self._entry(ms)
        entry.cents += cents
        entry.tally += tally
        if ms > self._latest_of.get(tag, 0):
            self._latest_of[tag] = ms
        self.cents += cents
        self.tally += tally

    def _entry(self, ms: int) -> Entry:
        entries = self.entries
        place = len(entries)
        if entries and ms <= entries[-1].ms:
            last = entries[-1]
            place = place - 1 if ms == last.ms else bisect_left(entries, ms, key=_ms)
            if entries[place].ms == ms:
                return entries[place]
        entry = Entry(ms)
        entries.insert(place, entry)
        return entry

    def tags(self) -> tuple[str, ...]:
        """Return the distinct tags of what is counted, in order."""
        return tuple(sorted(tag for tag, ms in self._latest_of.items() if self.covers(ms)))


class Episode(msgspec.Struct):
    """A stretch above a limit: told once, and over when the value falls to `rearm_share` of it."""

    rearm_share: float
    running: bool = False

    def begins(self, before: float, now: float, limit: float) -> bool:
        """Return whether an episode begins with `now`.

        Args:
            before: The lowest value since the last call.
            now: The value.
            limit: What the value must reach; all three in one unit.
        """
        if self.running and before <= limit * self.rearm_share:
            self.running = False
        if self.running or now < limit:
            return False
        self.running = True
        return True


def cents_of(usd: float) -> int:
    """Return whole cents; 0 for an amount that is not credible, NaN and infinity included."""
    return round(usd * 100) if 0 < usd < MOST_USD else 0
