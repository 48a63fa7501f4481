"""Candles from before a run, by the same calendar as the run itself."""

import math
from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np
from numpy.random import Generator

from foreshock_schemas.events import Kline
from foreshock_schemas.ids import venue_id
from foreshock_schemas.names import coin_of
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.market.seasons import activity, bursts
from foreshock_simulator.market.traders import Floats
from foreshock_simulator.offline.venues import Terms

_MINUTE_MS: Final = 60_000
_DAY_MIN: Final = 1440
_DAYS: Final = 30
_CANDLES: Final[tuple[tuple[Literal["15m", "1h"], int, int], ...]] = (
    ("1h", 60, 30 * 24),
    ("15m", 15, 7 * 96),
)
_LEVEL_REVERTS_MIN: Final = 360.0
_LEVEL_SD: Final = 0.54
_UNEVEN: Final = 4.0
_TAKERS_SD: Final = 0.02
_READ_AFTER_MS: Final = 500


def klines(
    contract: Contract, venues: tuple[Terms, ...], start_ms: int, rng: Generator
) -> list[Kline]:
    """Return a month of hours and a week of quarters of an hour, read when the run begins."""
    minutes = start_ms - _MINUTE_MS * np.arange(_DAYS * _DAY_MIN, 0, -1, dtype=np.int64)
    level = _level(len(minutes), rng)
    season = activity(minutes)
    sd = contract.profile.volatility * math.sqrt(1 / _DAY_MIN) * np.exp(level - 0.15)
    steps = rng.standard_normal(len(minutes)) * sd * np.sqrt(season)
    path = contract.price * np.exp(np.append(np.cumsum(steps), 0.0) - np.append(0, steps).sum())
    path[-1] = contract.price
    mean_usd = contract.profile.daily_usd / _DAY_MIN
    state = np.exp(level / 2 - _LEVEL_SD**2 / 8)
    usd = mean_usd * season * bursts(minutes) * state
    return [
        kline
        for venue in venues
        for kline in _of_venue(contract, venue, start_ms, (minutes, path, usd), rng)
    ]


def _level(count: int, rng: Generator) -> Floats:
    part = 1 / _LEVEL_REVERTS_MIN
    kicks = _LEVEL_SD * math.sqrt(2 * part) * rng.standard_normal(count)
    level, path = float(rng.normal(0, _LEVEL_SD)), []
    for kick in kicks.tolist():
        level += kick - level * part
        path.append(level)
    return np.array(path)


def _of_venue(
    contract: Contract,
    venue: Terms,
    start_ms: int,
    market: tuple["np.typing.NDArray[np.int64]", Floats, Floats],
    rng: Generator,
) -> Iterator[Kline]:
    minutes, path, usd = market
    profile = contract.profile
    coin, multiplier = coin_of(profile.base)
    mean_usd = profile.daily_usd / 86_400 / profile.trades_per_s
    mine = usd * venue.share * rng.standard_gamma(_UNEVEN, len(usd)) / _UNEVEN
    for interval, span, count in _CANDLES:
        prices = path[-count * span - 1 :] / multiplier
        opens, closes = prices[:-1:span], prices[span::span]
        inside = prices[:-1].reshape(count, span)
        highs = np.maximum(np.maximum(opens, closes), inside.max(axis=1))
        lows = np.minimum(np.minimum(opens, closes), inside.min(axis=1))
        volume = mine[-count * span :].reshape(count, span).sum(axis=1)
        bought = volume * np.clip(0.5 + rng.normal(0, _TAKERS_SD, count), 0, 1)
        columns = (minutes[-count * span :: span], opens, highs, lows, closes, volume, bought)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield _kline(coin, venue, interval, (span, start_ms, mean_usd), row)


def _kline(
    coin: str,
    venue: Terms,
    interval: Literal["15m", "1h"],
    of_run: tuple[int, int, float],
    row: tuple[Any, ...],
) -> Kline:
    span, run_ms, mean_usd = of_run
    start_ms, opened, high, low, close, usd, bought = row
    symbol = venue.symbol.format(coin)
    return Kline(
        event_id=venue_id(venue.name, symbol, f"kline_{interval}", start_ms),
        ts_event_ms=start_ms + span * _MINUTE_MS,
        ts_recv_ms=run_ms + _READ_AFTER_MS,
        exchange=venue.name,
        symbol=symbol,
        coin=coin,
        interval=interval,
        start_ms=start_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume_coins=usd / close,
        notional_usd=usd,
        taker_buy_usd=bought,
        trades=round(usd / mean_usd),
    )
