"""The trouble that is on order, and what it makes of a frame and of a request."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from foreshock_simulator.venue.ledger import Numbers


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What one push of a stream carries: so many rows, trades with these numbers."""

    stream: str
    payload: Any
    rows: int = 1
    numbers: Numbers | None = None


class Refusals(msgspec.Struct):
    """Requests to refuse: the next `count`, or all until `until_ms`."""

    status: int
    path: str
    count: int
    until_ms: int


class Counted:
    """So many times for streams that match a pattern; `*` stands for anything."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def add(self, pattern: str, count: int) -> None:
        """Order it `count` more times."""
        self._left[pattern] = self._left.get(pattern, 0) + count

    def take(self, stream: str) -> bool:
        """Use one up for this stream; return whether there was one."""
        return bool(self._take(stream, 1))

    def take_all(self, stream: str) -> int:
        """Use up all that one pattern has for this stream; return how many there were."""
        return self._take(stream, None)

    def _take(self, stream: str, count: int | None) -> int:
        pattern = _matching(stream, self._left)
        if pattern is None:
            return 0
        taken = self._left[pattern] if count is None else count
        self._left[pattern] -= taken
        if not self._left[pattern]:
            del self._left[pattern]
        return taken


class Faults:
    """All that is on order at one venue."""

    def __init__(self) -> None:
        self.skew_ms = 0
        self.muted: list[str] = []
        self.bad_topics: list[str] = []
        self.drops = Counted()
        self.duplicates = Counted()
        self.reorders = Counted()
        self.histories = Counted()
        self.refusals: list[Refusals] = []
        self._held: dict[str, Frame] = {}

    def through(self, frame: Frame) -> Sequence[Frame] | None:
        """Return what is sent when this frame is due, in its order; `None`: it is withheld."""
        stream = frame.stream
        if _matching(stream, self.muted) is not None or self.drops.take(stream):
            return None
        if self.duplicates.take(stream):
            return frame, frame
        if held := self._held.pop(stream, None):
            return frame, held
        if self.reorders.take(stream):
            self._held[stream] = frame
            return ()
        return (frame,)

    def refuses_topic(self, stream: str) -> bool:
        """Return whether a subscription to this stream is to be refused."""
        return _matching(stream, self.bad_topics) is not None

    def refusal(self, path: str, now_ms: int) -> Refusals | None:
        """Return how a request is refused, if it is, and count it."""
        self.refusals = [each for each in self.refusals if each.count or now_ms < each.until_ms]
        for each in self.refusals:
            if fnmatchcase(path, each.path):
                each.count = max(0, each.count - 1)
                return each
        return None


def _matching(stream: str, patterns: Sequence[str] | dict[str, int]) -> str | None:
    return next((each for each in patterns if fnmatchcase(stream, each)), None)
