"""What may be counted: credible amounts, and each event once."""

from typing import Final

import msgspec

GENERATION: Final = 256
"""Ids kept at least; at most twice as many."""

_CREDIBLE_USD: Final = 1e13


def credible(usd: float) -> bool:
    """Return whether an amount can be counted; zero, less, NaN and infinity cannot."""
    return 0 < usd < _CREDIBLE_USD


class Recent(msgspec.Struct):
    """The ids of the last events, in two generations of which the older is dropped whole."""

    newer: dict[str, None] = {}
    older: dict[str, None] = {}

    def is_new(self, event_id: str) -> bool:
        """Return whether an event was not seen before, and remember it."""
        if event_id in self.newer or event_id in self.older:
            return False
        self.newer[event_id] = None
        if len(self.newer) >= GENERATION:
            self.older, self.newer = self.newer, {}
        return True
