"""What is worth telling again although it was told a while ago."""

from typing import Final

import msgspec

TIMES: Final = 2.0


class News(msgspec.Struct):
    """What was told last outside the budget: again within `gap_ms` only if twice as large."""

    gap_ms: int
    value: float = 0.0
    told_ms: int = 0

    def is_new(self, value: float, ms: int) -> bool:
        """Return whether a value is worth telling, and remember it if so."""
        if ms - self.told_ms < self.gap_ms and value < TIMES * self.value:
            return False
        self.value, self.told_ms = value, ms
        return True
