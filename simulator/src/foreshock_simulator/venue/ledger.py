"""What was sent and what a fault kept back, so that a test can prove what must have arrived."""

from collections import Counter, defaultdict
from typing import Any, Final

_RANGES: Final = 10_000

Numbers = tuple[int, int]
"""The first and the last number of some trades that follow one another."""


class Ranges:
    """Numbers as ranges; those that follow one another are one."""

    def __init__(self) -> None:
        self.ranges: list[list[int]] = []

    def add(self, numbers: Numbers) -> None:
        """Take note of numbers; beyond 10,000 ranges the oldest is forgotten."""
        first, last = numbers
        if self.ranges and self.ranges[-1][1] + 1 == first:
            self.ranges[-1][1] = last
            return
        self.ranges.append([first, last])
        if len(self.ranges) > _RANGES:
            del self.ranges[0]


class Ledger:
    """Counts by stream: frames and rows sent, and which trades were sent and which withheld."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._withheld: Counter[str] = Counter()
        self._trades_sent: defaultdict[str, Ranges] = defaultdict(Ranges)
        self._trades_withheld: defaultdict[str, Ranges] = defaultdict(Ranges)

    def note_sent(self, stream: str, listeners: int, rows: int, numbers: Numbers | None) -> None:
        """Take note of a frame that went to so many connections."""
        self.sent[stream] += listeners
        self._rows[stream] += listeners * rows
        if numbers is not None:
            self._trades_sent[stream].add(numbers)

    def note_withheld(self, stream: str, numbers: Numbers | None) -> None:
        """Take note of a frame that a fault, or a connection too slow, kept from everybody."""
        self._withheld[stream] += 1
        if numbers is not None:
            self._trades_withheld[stream].add(numbers)

    def told(self, *, trades: bool) -> dict[str, Any]:
        """Return it as it is served; with the numbers of trades if asked for."""
        told: dict[str, Any] = {
            "sent": self.sent,
            "rows": self._rows,
            "withheld": self._withheld,
        }
        if trades:
            told["trades"] = {
                stream: {
                    "sent": self._trades_sent[stream].ranges,
                    "withheld": self._trades_withheld[stream].ranges,
                }
                for stream in sorted(self._trades_sent.keys() | self._trades_withheld.keys())
            }
        return told
