"""Thirty days before the market began: candles that end at its price, with its usual volume."""

import math
from typing import Final

import numpy as np

from foreshock_simulator.market.profiles import Profile

_MS: Final = {"15m": 900_000, "1h": 3_600_000}
_DAY_MS: Final = 86_400_000

Row = list[int | str]


def klines(
    profile: Profile, price: float, interval: str, limit: int, now_ms: int, seed: int
) -> list[Row]:
    """Return the newest candles, oldest first, the last one unfinished.

    They are the same for the same seed; each day's quote volume is the profile's on average.
    """
    step_ms = _MS[interval]
    rng = np.random.default_rng([seed, sum(map(ord, profile.symbol)), step_ms])
    returns = rng.standard_normal(limit) * profile.volatility * math.sqrt(step_ms / _DAY_MS)
    closes = price * np.exp(-(returns[::-1].cumsum() - returns[::-1]))[::-1]
    opens = np.concatenate([[closes[0]], closes[:-1]])
    spread = np.abs(rng.standard_normal(limit)) * profile.volatility * math.sqrt(step_ms / _DAY_MS)
    quote = profile.daily_usd * step_ms / _DAY_MS * np.exp(rng.normal(-0.08, 0.4, limit))
    quote[-1] *= now_ms % step_ms / step_ms
    first = now_ms // step_ms * step_ms - (limit - 1) * step_ms
    return [
        _row(profile, first + n * step_ms, step_ms, opens[n], closes[n], spread[n] / 4, quote[n])
        for n in range(limit)
    ]


def _row(
    profile: Profile,
    start_ms: int,
    step_ms: int,
    opened: float,
    closed: float,
    spread: float,
    quote: float,
) -> Row:
    def price(value: float) -> str:
        return f"{value:.{profile.decimals + 2}f}"

    base = quote / closed
    high, low = max(opened, closed) * (1 + spread), min(opened, closed) * (1 - spread)
    return [
        start_ms, price(opened), price(high), price(low), price(closed), f"{base:.4f}",
        start_ms + step_ms - 1, f"{quote:.4f}", int(quote / 900), f"{base * 0.5:.4f}",
        f"{quote * 0.5:.4f}", "0",
    ]  # fmt: skip
