"""Values by the time of their receipt, so that one can ask which was in force when."""

from bisect import bisect_right
from typing import Final, Generic, TypeVar

import msgspec

_NEAR: Final = 5
"""How many of the last values are tried before a binary search."""

T = TypeVar("T")


class History(msgspec.Struct, Generic[T]):
    """The latest `most` values of something, by the time of their receipt in ms.

    One that comes out of order takes the latest time before it.
    """

    most: int
    times: list[int] = msgspec.field(default_factory=list)
    values: list[T] = msgspec.field(default_factory=list)

    def add(self, ms: int, value: T) -> None:
        """Keep a value; the oldest goes if there are too many."""
        times = self.times
        times.append(max(ms, times[-1]) if times else ms)
        self.values.append(value)
        if len(times) > self.most:
            del times[0], self.values[0]

    def at(self, ms: int) -> T | None:
        """Return the value in force at `ms`; None from before the first that is kept."""
        place = self.place(ms)
        return None if place < 0 else self.values[place]

    def place(self, ms: int) -> int:
        """Return the index of the value in force at `ms`; -1 before the first.

        Mostly it is one of the last, for one asks about half a minute ago.
        """
        times = self.times
        place = len(times) - 1
        far = place - _NEAR
        while place > far:
            if place < 0 or times[place] <= ms:
                return place
            place -= 1
        return bisect_right(times, ms) - 1
