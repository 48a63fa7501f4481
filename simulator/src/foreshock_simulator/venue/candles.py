"""Days before the market began: candles that end at its price, with its usual volume."""

import math
from typing import Final

import msgspec
import numpy as np

from foreshock_simulator.venue.listing import Listing

_DAY_MS: Final = 86_400_000
_MORE_DIGITS: Final = 2
MINUTE_MS: Final = 60_000


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One candle as the venue's numbers: prices as text, volumes in base units and in USD."""

    start_ms: int
    open: str
    high: str
    low: str
    close: str
    base: float
    quote: float
    finished: bool


def candles(
    listing: Listing, step_ms: int, limit: int, now_ms: int, seed: int, end_ms: int | None = None
) -> list[Candle]:
    """Return the newest candles that begin by `end_ms`, oldest first; the present is unfinished.

    They are the same for the same seed, their prices on every venue; a day's volume is the
    listing's on average.
    """
    profile = listing.contract.profile
    skipped = 0 if end_ms is None else max(0, (now_ms // step_ms) - (end_ms // step_ms))
    count = limit + skipped
    rng = np.random.default_rng([seed, sum(map(ord, profile.symbol)), step_ms])
    sd = profile.volatility * math.sqrt(step_ms / _DAY_MS)
    draws = rng.standard_normal((count + 1, 3))  # newest first, so that a longer list only adds
    returns = draws[:, 0] * sd
    prices = listing.contract.price * np.exp(-(returns.cumsum() - returns))[::-1]
    opens, closes, draws = prices[:-1], prices[1:], draws[:-1]
    spread = np.abs(draws[::-1, 1]) * sd / 4
    quote = listing.daily_usd * step_ms / _DAY_MS * np.exp(draws[::-1, 2] * 0.4 - 0.08)
    quote[-1] *= now_ms % step_ms / step_ms
    first = now_ms // step_ms * step_ms - (count - 1) * step_ms
    return [
        _candle(
            listing,
            first + n * step_ms,
            (float(opens[n]), float(closes[n]), float(spread[n]), float(quote[n])),
            finished=n < count - 1,
        )
        for n in range(limit)
    ]


def _candle(
    listing: Listing, start_ms: int, drawn: tuple[float, float, float, float], *, finished: bool
) -> Candle:
    opened, closed, spread, quote = drawn
    high, low = max(opened, closed) * (1 + spread), min(opened, closed) * (1 - spread)
    return Candle(
        start_ms=start_ms,
        open=listing.price(opened, _MORE_DIGITS),
        high=listing.price(high, _MORE_DIGITS),
        low=listing.price(low, _MORE_DIGITS),
        close=listing.price(closed, _MORE_DIGITS),
        base=quote / (closed * listing.scale),
        quote=quote,
        finished=finished,
    )
