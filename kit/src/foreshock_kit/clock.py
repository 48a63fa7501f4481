"""Time, handed in, so that tests and replays decide what it is."""

import time
from typing import Protocol


class Clock(Protocol):
    """What may ask for the time."""

    def now_ms(self) -> int:
        """Return the time of day: ms since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring durations."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the time of day: ms since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
