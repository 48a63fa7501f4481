"""How fast one side is being closed by force: exponentially decaying sums, in USD."""

from math import exp, log
from typing import Final

import msgspec

LONGEST_S: Final = 60.0
LATE_S: Final = 60.0
"""A print that is further behind the newest one counts in totals only."""

CHILD_MS: Final = 50
"""Prints of one venue and side that are no further apart are one order in several pieces."""


class Pressure(msgspec.Struct):
    """Sums of USD that decay with time constants of 15, 30 and 60 s, and the orders over 30 s.

    `prints` counts orders; `orders` has by exchange when its latest order began.
    """

    at_ms: int = 0
    usd_15: float = 0.0
    usd_30: float = 0.0
    usd_60: float = 0.0
    prints: float = 0.0
    orders: dict[str, int] = {}

    def add(self, ms: int, usd: float, prints: float) -> bool:
        """Count orders of the exchange's time `ms`; return False, counting none, if too late."""
        ahead_s = (ms - self.at_ms) / 1000
        if ahead_s < -LATE_S:
            return False
        long = exp(-abs(ahead_s) / LONGEST_S)
        middle = long * long  # half the time constant
        short = middle * middle
        if ahead_s >= 0:
            self.at_ms = ms
            self.usd_15 = self.usd_15 * short + usd
            self.usd_30 = self.usd_30 * middle + usd
            self.usd_60 = self.usd_60 * long + usd
            self.prints = self.prints * middle + prints
        else:
            self.usd_15 += usd * short
            self.usd_30 += usd * middle
            self.usd_60 += usd * long
            self.prints += prints * middle
        return True

    def orders_in(self, exchange: str, ms: int) -> int:
        """Return 1 if a print at `ms` is an order of its own, 0 if a piece of the one before."""
        first_ms = self.orders.get(exchange)
        if first_ms is not None and abs(ms - first_ms) <= CHILD_MS:
            return 0
        self.orders[exchange] = ms
        return 1

    def falls_to(self, usd: float) -> int:
        """Return when the sum over 60 s decays to `usd` (ms): in the past if it has already."""
        return self.at_ms + round(LONGEST_S * 1000 * log(self.usd_60 / usd))

    def left_of(self, usd: float, ms: int) -> float:
        """Return what is left now of a sum over 60 s that was `usd` at the time `ms`."""
        return usd * exp((ms - self.at_ms) / (LONGEST_S * 1000))
