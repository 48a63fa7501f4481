"""What is critical is told beside the budget; this keeps it from being told again and again."""

from typing import Final

import msgspec

TIMES: Final = 2.0
"""How much larger a value must be to be news within the gap."""


class News(msgspec.Struct):
    """What was told last: within `gap_ms` only twice as much is news again."""

    gap_ms: int
    value: float = 0.0
    told_ms: int = 0

    def is_new(self, value: float, ms: int) -> bool:
        """Return whether a value is worth telling."""
        return ms - self.told_ms >= self.gap_ms or value >= TIMES * self.value

    def remember(self, value: float, ms: int) -> None:
        """Take note of what was told."""
        self.value, self.told_ms = value, ms
