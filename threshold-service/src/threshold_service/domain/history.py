"""What was true when: values by the time that we received them."""

from bisect import bisect_right
from typing import Final, Generic, TypeVar

import msgspec

_NEAR: Final = 5

T = TypeVar("T")


class History(msgspec.Struct, Generic[T]):
    """The latest values of something, up to `most` of them, by the ms of their receipt.

    One that comes out of order takes the time of the latest before it.
    """

    most: int
    times: list[int] = msgspec.field(default_factory=list)
    values: list[T] = msgspec.field(default_factory=list)

    def add(self, ms: int, value: T) -> None:
        """Keep a value; the oldest goes."""
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
        """Return where the value in force at `ms` is kept; -1 before the first.

        Mostly it is one of the last: it is asked for as of half a minute ago.
        """
        times = self.times
        place = len(times) - 1
        far = place - _NEAR
        while place > far:
            if place < 0 or times[place] <= ms:
                return place
            place -= 1
        return bisect_right(times, ms) - 1
