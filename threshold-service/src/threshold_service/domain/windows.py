"""Sums over the last while, and episodes above a limit.

Money is counted in whole cents: sums are then exact, whatever was added and dropped before,
so that a window rebuilt from the log equals one that was never interrupted.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

_CREDIBLE_USD: Final = 1e13


class RollingSum:
    """Cents and a tally over the last `span_ms`, by the latest event time seen.

    A late event within the span counts; an older one does not. Memory is bounded by the
    span: what shares millisecond and tag is one entry.
    """

    __slots__ = ("_entries", "_order", "_span_ms", "cents", "latest_ms", "tally")

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._entries: dict[tuple[int, str], tuple[int, int]] = {}
        self._order: list[tuple[int, str]] = []
        self.latest_ms = 0
        self.cents = 0
        self.tally = 0

    def advance(self, ms: int) -> None:
        """Drop what lies a whole span before `ms`; time never goes back."""
        if ms > self.latest_ms:
            self.latest_ms = ms
        oldest_ms = self.latest_ms - self._span_ms
        order = self._order
        while order and order[0][0] <= oldest_ms:
            cents, tally = self._entries.pop(heappop(order))
            self.cents -= cents
            self.tally -= tally

    def covers(self, ms: int) -> bool:
        """Return whether an event of this time still counts."""
        return ms > self.latest_ms - self._span_ms

    def add(self, ms: int, tag: str, cents: int, tally: int) -> None:
        """Count an event that the window covers."""
        key = (ms, tag)
        entry = self._entries.get(key)
        if entry is None:
            heappush(self._order, key)
            self._entries[key] = (cents, tally)
        else:
            self._entries[key] = (entry[0] + cents, entry[1] + tally)
        self.cents += cents
        self.tally += tally

    def tags(self) -> Iterable[str]:
        """Return the distinct tags of what is counted, in order."""
        return sorted({tag for _, tag in self._entries})


class Episode:
    """A stretch above a limit: told of once, over when the value is back at `rearm_share`."""

    __slots__ = ("_rearm_share", "running")

    def __init__(self, rearm_share: float) -> None:
        self._rearm_share = rearm_share
        self.running = False

    def begins(self, before: float, now: float, limit: float) -> bool:
        """Return whether an episode begins with `now`.

        Args:
            before: The lowest value since the last call.
            now: The value.
            limit: What the value must reach; all three in one unit.
        """
        if self.running and before <= limit * self._rearm_share:
            self.running = False
        if self.running or now < limit:
            return False
        self.running = True
        return True


def cents_of(usd: float) -> int:
    """Return whole cents; none for what is no credible amount, NaN and infinity included."""
    return round(usd * 100) if 0 < usd < _CREDIBLE_USD else 0
