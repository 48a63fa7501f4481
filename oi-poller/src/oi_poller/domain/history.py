"""What a month of hourly candles tells: usual daily volume and volatility."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from foreshock_schemas.events import Kline

HOURS: Final = 30 * 24
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_FEWEST_RETURNS: Final = 24
"""Fewer hourly returns than a day's say nothing of a month's volatility."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Daily quote volumes (USD, newest last) and volatility of one contract.

    `volatility_daily` is the standard deviation of hourly log returns x sqrt(24).
    """

    daily_usd: tuple[float, ...]
    volatility_daily: float | None
    until_ms: int


def of_klines(klines: Sequence[Kline], now_ms: int) -> History:
    """Return the history in hourly candles, oldest first; an unfinished one is left out.

    Days are counted back from the last finished hour, so that each has 24 hours.
    """
    done = [k for k in klines if k.ts_event_ms <= now_ms]
    until_ms = done[-1].ts_event_ms if done else now_ms
    days: dict[int, float] = {}
    for k in done:
        day = (until_ms - k.ts_event_ms) // _DAY_MS
        days[day] = days.get(day, 0.0) + k.notional_usd
    first_ms = done[0].start_ms if done else until_ms
    whole = (until_ms - first_ms) // _DAY_MS
    return History(
        daily_usd=tuple(days.get(day, 0.0) for day in reversed(range(whole))),
        volatility_daily=_volatility([k.close for k in done]),
        until_ms=until_ms,
    )


def _volatility(closes: Sequence[float]) -> float | None:
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    if len(returns) < _FEWEST_RETURNS:
        return None
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1)
    return math.sqrt(variance * 24)
