"""Which liquidations may be counted: credible amounts, and each event once."""

from typing import Final

import msgspec

from foreshock_schemas.events import AHEAD_MS, Liquidation
from threshold_service.domain.windows import MOST_USD

GENERATION: Final = 256
"""The fewest ids that are kept; the most are twice as many."""


def credible(event: Liquidation) -> bool:
    """Return whether a liquidation can be counted.

    One whose amount is zero or less, NaN or infinite cannot, nor one from the future.
    """
    if not 0 < event.notional_usd < MOST_USD:
        return False
    return event.ts_event_ms - event.ts_recv_ms <= AHEAD_MS


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
