"""The last 300 seconds, and sums over windows of them; money in whole cents."""

from typing import Final

import msgspec

SPANS_S: Final = (10, 60, 300)
"""The windows, shortest first; the longest is how far the past reaches."""

PAST_S: Final = SPANS_S[-1]

_NONE: Final = -1


def _zeros() -> list[int]:
    return [0] * PAST_S


class Seconds(msgspec.Struct, kw_only=True):
    """What was traded and what was due, second by second, over the venues that were heard.

    A second is told by its number since 1970. Whole cents: sums stay exact, whatever comes and
    goes. `burst` is a second's largest run of one side, `burst_on` where it was, `offsets` where
    the first record that told of it lies.
    """

    now_s: int = 0
    since_s: int = 0
    seen: list[int] = msgspec.field(default_factory=_zeros)
    due: list[int] = msgspec.field(default_factory=_zeros)
    bought: list[int] = msgspec.field(default_factory=_zeros)
    burst: list[int] = msgspec.field(default_factory=_zeros)
    burst_on: list[str] = msgspec.field(default_factory=lambda: [""] * PAST_S)
    offsets: list[int] = msgspec.field(default_factory=lambda: [_NONE] * PAST_S)
    seen_sums: list[int] = msgspec.field(default_factory=lambda: [0] * len(SPANS_S))
    due_sums: list[int] = msgspec.field(default_factory=lambda: [0] * len(SPANS_S))

    def restart(self, second: int) -> None:
        """Forget everything: nothing was heard for a while."""
        self.now_s = second
        self.since_s = second
        self.seen, self.due, self.bought, self.burst = _zeros(), _zeros(), _zeros(), _zeros()
        self.offsets = [_NONE] * PAST_S
        self.seen_sums, self.due_sums = [0] * len(SPANS_S), [0] * len(SPANS_S)

    def step(self) -> None:
        """Go on by a second."""
        now = self.now_s = self.now_s + 1
        seen, due = self.seen, self.due
        seen_sums, due_sums = self.seen_sums, self.due_sums
        for i, span in enumerate(SPANS_S):
            slot = (now - span) % PAST_S
            seen_sums[i] -= seen[slot]
            due_sums[i] -= due[slot]
        slot = now % PAST_S
        seen[slot] = due[slot] = self.bought[slot] = self.burst[slot] = 0
        self.offsets[slot] = _NONE

    def add(self, second: int, seen: int, due: int, bought: int) -> None:
        """Count money of a second; what lies further back than the past reaches is gone."""
        age = self.now_s - second
        if age >= PAST_S:
            return
        slot = second % PAST_S
        self.seen[slot] += seen
        self.due[slot] += due
        self.bought[slot] += bought
        seen_sums, due_sums = self.seen_sums, self.due_sums
        for i, span in enumerate(SPANS_S):
            if age < span:
                seen_sums[i] += seen
                due_sums[i] += due

    def note(self, second: int, offset: int, burst: int, venue: str) -> None:
        """Note a record that ends with a second, and its largest run of one side."""
        if self.now_s - second >= PAST_S:
            return
        slot = second % PAST_S
        if self.offsets[slot] == _NONE:
            self.offsets[slot] = offset
        if burst > self.burst[slot]:
            self.burst[slot] = burst
            self.burst_on[slot] = venue

    def covers(self, span: int) -> bool:
        """Return whether a window is full of what was heard without a break."""
        return self.now_s - self.since_s >= span - 1

    def bought_in(self, span: int) -> int:
        """Return what takers bought in a window."""
        return sum(self.bought[second % PAST_S] for second in self.of(span))

    def burst_in(self, span: int) -> tuple[int, str]:
        """Return the largest run of one side in a window, and the venue it was on."""
        slot = max((s % PAST_S for s in self.of(span)), key=self.burst.__getitem__)
        return self.burst[slot], self.burst_on[slot]

    def since_offset(self, span: int, offset: int) -> int:
        """Return where the oldest record of a window lies; `offset` is that of the newest."""
        told = (self.offsets[second % PAST_S] for second in self.of(span))
        return min((o for o in told if o != _NONE), default=offset)

    def of(self, span: int) -> range:
        """Return the seconds of a window."""
        return range(self.now_s - span + 1, self.now_s + 1)
