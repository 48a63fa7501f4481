"""What was true when: values by the time that we received them."""

from bisect import bisect_right
from typing import Generic, TypeVar

import msgspec

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
        times = self.times
        if times and times[-1] <= ms:
            return self.values[-1]
        place = bisect_right(times, ms)
        return self.values[place - 1] if place else None
