"""From what is seen at each look to what is published: bad news at once, no flapping."""

from collections import deque
from typing import Final

from foreshock_exchanges.truth.verdict import Verdict
from foreshock_schemas.events import FeedState

HOUR_MS: Final = 3_600_000
HOLD_MS: Final = 900_000
"""How long a better state of a feed that flaps has to hold before it is told."""

FREE_CHANGES: Final = 4
"""Changes in an hour before a feed is taken to flap."""


_FROM_GOOD_TO_BAD: Final[tuple[FeedState, ...]] = (
    "LIVE",
    "QUIET",
    "UNKNOWN",
    "PARTIAL",
    "STALE",
    "MUTE",
    "DOWN",
)


class Steady:
    """The published state of one feed.

    A worse state is taken at once. So is a better one, unless there were four changes in the last
    hour: then it has to hold for 15 minutes. A feed that flaps between two states so changes at
    most 12 times in an hour, and is shown at its worst meanwhile. DOWN is never held: that it is
    over, the socket or the poll says itself.
    """

    def __init__(self) -> None:
        self._told: Verdict | None = None
        self._better_since_ms: int | None = None
        self._changes: deque[int] = deque(maxlen=FREE_CHANGES)

    def settle(self, verdict: Verdict, now_ms: int) -> Verdict:
        """Return the verdict to publish; its `since_ms` stays while its state does."""
        told = self._told
        if told is None or _badness(verdict) > _badness(told):
            return self._change(verdict, now_ms)
        if verdict.state == told.state:
            self._better_since_ms = None
            self._told = Verdict(told.state, verdict.reason, told.since_ms)
            return self._told
        if self._better_since_ms is None:
            self._better_since_ms = now_ms
        held = now_ms - self._better_since_ms >= HOLD_MS
        is_over = told.state == "DOWN" or held or not self._flaps(now_ms)
        return self._change(verdict, now_ms) if is_over else told

    def _change(self, verdict: Verdict, now_ms: int) -> Verdict:
        if self._told is not None:
            self._changes.append(now_ms)
        self._told, self._better_since_ms = verdict, None
        return verdict

    def _flaps(self, now_ms: int) -> bool:
        changes = self._changes
        return len(changes) == FREE_CHANGES and now_ms - changes[0] < HOUR_MS


def _badness(verdict: Verdict) -> int:
    return _FROM_GOOD_TO_BAD.index(verdict.state)
