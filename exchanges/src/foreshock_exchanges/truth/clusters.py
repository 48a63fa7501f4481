"""Prints that belong together: one venue, coin and side within a second or so."""

from typing import Final

from foreshock_schemas.events import Liquidation, Position

GAP_MS: Final = 1_500
"""Longer than the second in which Binance shows one print of a symbol at most."""

LONGEST_MS: Final = 60_000
"""A cascade that goes on counts again each minute."""


class Clusters:
    """Tells the first print of a cluster from those that follow it.

    A cluster ends when its venue has printed nothing of that coin and side for 1.5 s, or after
    a minute. Throttled feeds and full ones so count alike.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, Position], tuple[int, int]] = {}

    def opens(self, print_: Liquidation) -> bool:
        """Return whether a cluster begins with this print."""
        key = (print_.exchange, print_.coin, print_.position)
        at_ms = print_.ts_event_ms
        start_ms, latest_ms = self._open.get(key, (-LONGEST_MS, -LONGEST_MS))
        if at_ms - latest_ms <= GAP_MS and at_ms - start_ms < LONGEST_MS:
            self._open[key] = (start_ms, max(latest_ms, at_ms))
            return False
        self._open[key] = (at_ms, at_ms)
        return True
