"""What pushes the market from outside: news, as a log return spread over some seconds."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

_FIRST_S: Final = 12.0
_BETWEEN_S: Final = (120.0, 240.0)
_LASTS_S: Final = 18.0
_SIZE: Final = (1.3, 1.7)
_MARKET_WIDE: Final = 0.55
_SHARE_OF_COINS: Final = 0.35


class Shock(msgspec.Struct, frozen=True, kw_only=True):
    """A push from `start_s` on; `size` is in daily volatilities of the contract, signed.

    `symbols` are those it concerns; none: all.
    """

    start_s: float
    lasts_s: float
    size: float
    symbols: frozenset[str]

    def push(self, symbol: str, volatility: float, now_s: float, dt: float) -> float:
        """Return the log return that it adds to a contract from `now_s` to `now_s + dt`."""
        if self.symbols and symbol not in self.symbols:
            return 0.0
        overlap = min(now_s + dt, self.start_s + self.lasts_s) - max(now_s, self.start_s)
        return self.size * volatility * max(0.0, overlap) / self.lasts_s


def demo(seed: int, symbols: tuple[str, ...]) -> Iterator[Shock]:
    """Yield shocks for ever: the first at 12 s for all, then one every 2 to 4 minutes.

    Sides alternate, so that the price stays in reach and both are seen.
    """
    rng = np.random.default_rng([seed, 1])
    at, sign = _FIRST_S, -1.0
    everybody: frozenset[str] = frozenset()
    concerned = everybody
    while True:
        size = sign * float(rng.uniform(*_SIZE))
        yield Shock(start_s=at, lasts_s=_LASTS_S, size=size, symbols=concerned)
        at += float(rng.uniform(*_BETWEEN_S))
        sign = -sign
        some = max(1, round(len(symbols) * _SHARE_OF_COINS))
        chosen = frozenset(rng.choice(symbols, some, replace=False).tolist())
        concerned = everybody if rng.random() < _MARKET_WIDE else chosen


def calm(_seed: int, _symbols: tuple[str, ...]) -> Iterator[Shock]:
    """Yield nothing: the market is left to itself."""
    return iter(())
