"""The leveraged positions of one contract, and the prices at which they are closed by force."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAINTENANCE: Final = 0.005
"""Maintenance margin of the lowest tiers; a single one stands for all."""

_LEVERAGES: Final = np.array([2, 3, 5, 10, 20, 25, 50, 75, 100], float)
_TAKER_WEIGHTS: Final = np.array([0.15, 0.17, 0.22, 0.22, 0.11, 0.06, 0.04, 0.015, 0.015])
_SIZE_SIGMA: Final = 1.3
_WARM_SPREAD: Final = 0.02


class Closed(msgspec.Struct, frozen=True):
    """Positions closed by force at once: of which side, and the units of each."""

    longs: bool
    units: Floats

    @property
    def total(self) -> float:
        """All units together."""
        return float(self.units.sum())


def liquidation_price(entry: Floats, leverage: Floats, *, longs: bool) -> Floats:
    """Return where isolated positions of a linear contract are liquidated.

    Long `E (1 - 1/l) / (1 - m)`, short `E (1 + 1/l) / (1 + m)`, from Binance's liquidation price
    formula without its deductions: https://www.binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93
    """
    sign = 1.0 if longs else -1.0
    return entry * (1 - sign / leverage) / (1 - sign * MAINTENANCE)


class Side:
    """All leveraged longs, or all shorts, in arrays with room for `capacity` positions."""

    def __init__(self, capacity: int, *, longs: bool) -> None:
        self._longs = longs
        self._units = np.zeros(capacity)
        self._liquidation = np.zeros(capacity)
        self._next = 0

    @property
    def held(self) -> float:
        """Units held by all positions."""
        return float(self._units.sum())

    def warm(self, price: float, usd: float, rng: Generator) -> None:
        """Fill the book as if positions had been opened around this price for a while."""
        count = len(self._units)
        entries = price * np.exp(rng.normal(0, _WARM_SPREAD, count))
        self._put(np.arange(count), entries, usd / count, rng)
        self._units[self._hit(price)] = 0.0
        held_usd = self.held * price
        self._units *= usd / held_usd

    def open(self, price: float, usd: float, mean_usd: float, rng: Generator) -> None:
        """Open positions of about `usd` in all at this price."""
        count = int(rng.poisson(usd / mean_usd)) if usd > 0 else 0
        if count:
            count = min(count, len(self._units) // 4)
            slots = (self._next + np.arange(count)) % len(self._units)
            self._next = int((slots[-1] + 1) % len(self._units))
            self._put(slots, np.full(count, price), mean_usd, rng)

    def close_some(self, share: float) -> None:
        """Let every holder close this share of the position, of their own will."""
        self._units *= 1 - share

    def liquidate(self, mark: float) -> Closed | None:
        """Close by force what the mark price has reached."""
        hit = np.flatnonzero(self._hit(mark))
        if not len(hit):
            return None
        closed = Closed(self._longs, self._units[hit].copy())
        self._units[hit] = 0.0
        return closed

    def _hit(self, mark: float) -> NDArray[np.bool_]:
        beyond = self._liquidation >= mark if self._longs else self._liquidation <= mark
        hit: NDArray[np.bool_] = beyond & (self._units > 0)
        return hit

    def _put(
        self, slots: NDArray[np.int_], entries: Floats, mean_usd: float, rng: Generator
    ) -> None:
        count = len(slots)
        leverage = rng.choice(_LEVERAGES, count, p=_TAKER_WEIGHTS)
        usd = mean_usd * np.exp(rng.normal(-(_SIZE_SIGMA**2) / 2, _SIZE_SIGMA, count))
        self._units[slots] = usd / entries
        self._liquidation[slots] = liquidation_price(entries, leverage, longs=self._longs)
