"""Liquidations on their way to the stream: all of a window, or one of each contract."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from foreshock_simulator.market.trades import Liquidation
from foreshock_simulator.venue.listing import Listing

Shown = Literal["all", "largest", "latest"]


class Forced(msgspec.Struct, frozen=True):
    """One liquidation on one venue, and when it happened there."""

    listing: Listing
    liquidation: Liquidation
    time_ms: int


class Window:
    """Collects liquidations for `every_ms` and then shows them, or one of each contract.

    With `throttled_ms` above 0 it is that long instead, and shows the largest.
    """

    def __init__(self, every_ms: int, shown: Shown, now_ms: int) -> None:
        self.shown = shown
        self.throttled_ms = 0
        self._every_ms = every_ms
        self._current = now_ms // every_ms
        self._waiting: dict[str, list[Forced]] = {}

    def add(self, each: Forced) -> None:
        """Let one wait for the end of the window, if it is to be shown."""
        rows = self._waiting.setdefault(each.listing.symbol, [])
        shown = "largest" if self.throttled_ms else self.shown
        if shown == "all" or not rows:
            rows.append(each)
        elif shown == "latest" or each.liquidation.units > rows[0].liquidation.units:
            rows[:] = [each]

    def due(self, now_ms: int) -> Iterable[list[Forced]]:
        """Return what was collected, contract by contract, once the window is over."""
        current = now_ms // (self.throttled_ms or self._every_ms)
        if current == self._current:
            return ()
        self._current = current
        waited, self._waiting = self._waiting, {}
        return waited.values()
