"""Who opens positions: how much, with which leverage, and where they will be closed by force."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEVERAGES: Final = np.array([2, 3, 5, 10, 20, 25, 50, 75, 100], float)
_TAKERS: Final = np.array([0.15, 0.17, 0.22, 0.22, 0.11, 0.06, 0.04, 0.015, 0.015])
_MAKERS: Final = np.array([0.35, 0.25, 0.20, 0.12, 0.05, 0.03, 0.0, 0.0, 0.0])
_CAPS: Final = ((250_000.0, 50.0), (1_000_000.0, 20.0))
_HEDGED: Final = 0.55
PER_OPENING: Final = 2 - _HEDGED
"""Accounts that an opening brings: the taker, and the maker unless that is a hedged one."""

_SIZE_SIGMA: Final = 1.5
_FLOORS: Final = np.array([0.0, 50e3, 250e3, 1e6, 10e6])
_RATES: Final = np.array([0.004, 0.005, 0.01, 0.025, 0.05])
_DEDUCTIONS: Final = np.array([0.0, 50.0, 1_300.0, 16_300.0, 266_300.0])
_ROUNDS: Final = 3
_BLOCK: Final = 4096


class Openings(msgspec.Struct, frozen=True):
    """Positions opened, with the price of liquidation as a multiple of the entry price."""

    signs: Floats
    usd: Floats
    leverage: Floats
    reach: Floats


def liquidation_of_entry(usd: Floats, margin: Floats, sign: float) -> Floats:
    """Return the liquidation price of linear positions as a multiple of their entry price.

    `margin` is a share of the notional; `sign` is 1 for longs, -1 for shorts. The maintenance
    margin is that of the tier of the notional at that price, which takes a few rounds, as in
    https://www.binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93
    """
    reach = np.ones_like(usd)
    for _ in range(_ROUNDS):
        tier = np.searchsorted(_FLOORS, usd * reach, side="right") - 1
        rate, deduction = _RATES[tier], _DEDUCTIONS[tier]
        reach = np.maximum(1e-9, (1 - sign * (margin + deduction / usd)) / (1 - sign * rate))
    return reach


class Crowd:
    """Traders to come, drawn in blocks: what does not depend on the price is reckoned ahead.

    Of `isolated` of them a position has its own margin alone; the others can add to it.
    """

    def __init__(self, mean_usd: float, isolated: float, rng: Generator) -> None:
        self._mean_usd = mean_usd
        self._isolated = isolated
        self._rng = rng
        self._next = _BLOCK

    def come(self, count: int, buys: float) -> tuple[Openings, float]:
        """Return the positions of `count` takers and of the makers that take the other side.

        A taker buys with the probability `buys`. The second is what takers bought less what
        they sold, in USD.
        """
        if self._next + count > _BLOCK:
            self._draw(max(count, _BLOCK))
        here = slice(self._next, self._next + count)
        self._next += count
        signs = np.where(self._luck[here] < buys, 1.0, -1.0)
        real, usd, long = self._real[here], self._usd[here], signs > 0
        takers = np.where(long, self._taker_long[here], self._taker_short[here])
        makers = np.where(long, self._maker_short[here], self._maker_long[here])
        made = Openings(
            signs=np.concatenate([signs, -signs[real]]),
            usd=np.concatenate([usd, usd[real]]),
            leverage=np.concatenate([self._takers[here], self._makers[here][real]]),
            reach=np.concatenate([takers, makers[real]]),
        )
        return made, float(signs @ usd)

    def _draw(self, count: int) -> None:
        rng = self._rng
        self._next = 0
        self._luck = rng.random(count)
        self._real = rng.random(count) >= _HEDGED
        drawn = rng.normal(-(_SIZE_SIGMA**2) / 2, _SIZE_SIGMA, count)
        self._usd = self._mean_usd * np.exp(drawn)
        self._takers, self._taker_long, self._taker_short = self._terms(_TAKERS)
        self._makers, self._maker_long, self._maker_short = self._terms(_MAKERS)

    def _terms(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        rng, usd = self._rng, self._usd
        leverage = rng.choice(_LEVERAGES, len(usd), p=weights)
        for above, cap in _CAPS:
            leverage = np.where(usd > above, np.minimum(leverage, cap), leverage)
        spare = np.where(
            rng.random(len(usd)) < self._isolated, 0.0, 2 * rng.exponential(size=len(usd))
        )
        margin = (1 + spare) / leverage
        longs, shorts = (liquidation_of_entry(usd, margin, sign) for sign in (1.0, -1.0))
        return leverage, longs, shorts
