"""What a month of hourly candles tells: usual daily volume and volatility."""

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from foreshock_schemas.events import Kline

HOURS: Final = 30 * 24
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_LATE_MS: Final = 60_000
_AGAIN_MS: Final = 10 * 60_000
"""When there was nothing new: a contract that is young, or stands still."""
_FEWEST_RETURNS: Final = 24
"""Fewer hourly returns than a day's say nothing of a month's volatility."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Daily quote volumes (USD, newest last) and volatility of one contract.

    `volatility_daily` is the standard deviation of hourly log returns x sqrt(24).
    """

    daily_usd: tuple[float, ...]
    volatility_daily: float | None
    until_ms: int


class Candles:
    """The newest month of one contract's finished hourly candles."""

    def __init__(self) -> None:
        self._ends_ms = array("q")
        self._closes = array("d")
        self._usd = array("d")
        self._again_ms = 0

    @property
    def until_ms(self) -> int:
        """When the newest candle ended; 0: there is none."""
        return self._ends_ms[-1] if self._ends_ms else 0

    def add(self, klines: Sequence[Kline], now_ms: int) -> list[Kline]:
        """Take candles, oldest first; return those that are finished and new."""
        new = [k for k in klines if self.until_ms < k.ts_event_ms <= now_ms]
        self._again_ms = 0 if new else now_ms + _AGAIN_MS
        self._ends_ms.extend(k.ts_event_ms for k in new)
        self._closes.extend(k.close for k in new)
        self._usd.extend(k.notional_usd for k in new)
        for kept in (self._ends_ms, self._closes, self._usd):
            del kept[:-HOURS]
        return new

    def missing(self, now_ms: int) -> int:
        """Return how many candles to ask for: those since the newest, and the one still open.

        None before the newest has been over for an hour and a minute, nor for ten minutes after
        there was nothing new.
        """
        if now_ms < self._again_ms:
            return 0
        if not self._ends_ms:
            return HOURS + 1
        passed_ms = now_ms - self._ends_ms[-1]
        return min(HOURS + 1, passed_ms // _HOUR_MS + 1) if passed_ms > _HOUR_MS + _LATE_MS else 0

    def history(self) -> History | None:
        """Return what they tell, if there are any.

        Days are counted back from the last finished hour, so that each has 24 hours.
        """
        if not self._ends_ms:
            return None
        until_ms = self.until_ms
        days: dict[int, float] = {}
        for end_ms, usd in zip(self._ends_ms, self._usd, strict=True):
            day = (until_ms - end_ms) // _DAY_MS
            days[day] = days.get(day, 0.0) + usd
        whole = (until_ms - self._ends_ms[0] + _HOUR_MS) // _DAY_MS
        return History(
            daily_usd=tuple(days.get(day, 0.0) for day in reversed(range(whole))),
            volatility_daily=_volatility(self._closes),
            until_ms=until_ms,
        )


def _volatility(closes: Sequence[float]) -> float | None:
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    if len(returns) < _FEWEST_RETURNS:
        return None
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1)
    return math.sqrt(variance * 24)
