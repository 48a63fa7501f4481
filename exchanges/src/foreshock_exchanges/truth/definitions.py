"""When a venue begins to count its open interest in another way."""

from collections.abc import Mapping
from statistics import median
from typing import Final

FEWEST_COINS: Final = 5
"""Coins in both polls before anything is said of the venue: fewer may move alike by chance."""

MOST_ALIKE: Final = 0.8
"""The part of the coins that has to change by the same factor."""

_FACTORS: Final = (2.0, 0.5)
_TOLERANCE: Final = 0.05


def redefinition(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """Return 2 or 1/2 if a venue's figures were all multiplied by it between two polls, else None.

    The median ratio has to be within 5 % of the factor, and four fifths of the coins too, of
    five or more: what one coin does, or a few, is an event. So venues went from counting one side
    to counting both (Bybit, June 2026).
    """
    ratios = [
        after[symbol] / value for symbol, value in before.items() if value > 0 and symbol in after
    ]
    if len(ratios) < FEWEST_COINS:
        return None
    for factor in _FACTORS:
        alike = sum(_is_near(ratio, factor) for ratio in ratios)
        if _is_near(median(ratios), factor) and alike >= MOST_ALIKE * len(ratios):
            return factor
    return None


class Definition:
    """Since when one venue's figures can be compared, from its polls."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._comparable_since_ms = 0

    def on_poll(self, values: Mapping[str, float], at_ms: int) -> int:
        """Take a poll; return the time from which figures are comparable with it, 0 for always."""
        if redefinition(self._values, values) is not None:
            self._comparable_since_ms = at_ms
        self._values = dict(values)
        return self._comparable_since_ms


def _is_near(ratio: float, factor: float) -> bool:
    return abs(ratio / factor - 1.0) <= _TOLERANCE
