"""The last 300 seconds, and sums over windows of them; money in whole cents."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

import msgspec

SPANS_S: Final = (10, 60, 300)
"""The windows, shortest first; the longest is how far the past reaches."""

PAST_S: Final = SPANS_S[-1]

_NONE: Final = -1
_burst = attrgetter("burst")


class Second(msgspec.Struct, gc=False, array_like=True):
    """What was traded in a second (`seen`), what was `due`, and what takers bought; in cents.

    `burst` is its largest run of trades of one side, `burst_on` the venue of that, `offset` the
    offset of the first record that told of the second.
    """

    seen: int = 0
    due: int = 0
    bought: int = 0
    burst: int = 0
    burst_on: str = ""
    offset: int = _NONE


def _unheard() -> list[Second]:
    return [Second() for _ in range(PAST_S)]


class Seconds(msgspec.Struct, kw_only=True):
    """What was traded and what was due, second by second, over the venues that were heard.

    A second is a number since 1970. Whole cents keep the sums exact, whatever comes and goes.
    """

    now_s: int = 0
    since_s: int = 0
    past: list[Second] = msgspec.field(default_factory=_unheard)
    seen_sums: list[int] = msgspec.field(default_factory=lambda: [0] * len(SPANS_S))
    due_sums: list[int] = msgspec.field(default_factory=lambda: [0] * len(SPANS_S))

    def restart(self, second: int) -> None:
        """Forget everything: nothing was heard for a while."""
        self.now_s = second
        self.since_s = second
        self.past = _unheard()
        self.seen_sums, self.due_sums = [0] * len(SPANS_S), [0] * len(SPANS_S)

    def step(self) -> None:
        """Go on by a second."""
        now = self.now_s = self.now_s + 1
        past, seen_sums, due_sums = self.past, self.seen_sums, self.due_sums
        for i, span in enumerate(SPANS_S):
            gone = past[(now - span) % PAST_S]
            seen_sums[i] -= gone.seen
            due_sums[i] -= gone.due
        past[now % PAST_S] = Second()

    def add(self, second: int, seen: int, due: int, bought: int) -> None:
        """Count cents of a second; one from before the longest window is ignored."""
        age = self.now_s - second
        if age >= PAST_S:
            return
        slot = self.past[second % PAST_S]
        slot.seen += seen
        slot.due += due
        slot.bought += bought
        seen_sums, due_sums = self.seen_sums, self.due_sums
        for i, span in enumerate(SPANS_S):
            if age < span:
                seen_sums[i] += seen
                due_sums[i] += due

    def note(self, second: int, offset: int, burst: int, venue: str) -> None:
        """Note a record that ends with a second, and its largest run of trades of one side."""
        if self.now_s - second >= PAST_S:
            return
        slot = self.past[second % PAST_S]
        if slot.offset == _NONE:
            slot.offset = offset
        if burst > slot.burst:
            slot.burst, slot.burst_on = burst, venue

    def covers(self, span: int) -> bool:
        """Return whether a window is full of what was heard without a break."""
        return self.now_s - self.since_s >= span - 1

    def bought_in(self, span: int) -> int:
        """Return what takers bought in a window."""
        return sum(second.bought for second in self._in(span))

    def burst_in(self, span: int) -> tuple[int, str]:
        """Return the largest run of one side in a window (cents), and its venue."""
        largest = max(self._in(span), key=_burst)
        return largest.burst, largest.burst_on

    def since_offset(self, span: int, offset: int) -> int:
        """Return the offset of a window's oldest record; `offset` is that of its newest."""
        told = (second.offset for second in self._in(span))
        return min((o for o in told if o != _NONE), default=offset)

    def of(self, span: int) -> range:
        """Return the seconds of a window."""
        return range(self.now_s - span + 1, self.now_s + 1)

    def _in(self, span: int) -> Iterator[Second]:
        return (self.past[second % PAST_S] for second in self.of(span))
