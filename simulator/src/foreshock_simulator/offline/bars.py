"""Bars made from a step's volume, without single trades."""

import math
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from foreshock_schemas.events import Bar
from foreshock_schemas.ids import venue_id
from foreshock_simulator.market.traders import Floats
from foreshock_simulator.offline.day import STEP_MS, STEP_S, Day
from foreshock_simulator.offline.venues import Terms

_DAY_S: Final = 86_400.0
_CLOSES_AFTER_MS: Final = 1000
_JITTER_MS: Final = 250
_UNEVEN: Final = 8.0
_TAKERS_SD: Final = 0.05
_VENUES_APART: Final = 2e-5
_WICK: Final = 0.5
_CLUSTER, _CLUSTER_SD = 0.08, 0.6


def bars(day: Day, venue: Terms, forced_usd: Floats, rng: Generator) -> list[Bar]:
    """Return a bar for every step on one venue; without a trade it is a heartbeat.

    `forced_usd` is the largest liquidation of each step there.
    """
    profile, count = day.contract.profile, len(day)
    usd = day.usd * venue.share * rng.standard_gamma(_UNEVEN, count) / _UNEVEN
    mean_usd = profile.daily_usd / _DAY_S / profile.trades_per_s
    trades = rng.poisson(usd / mean_usd)
    bought = np.clip(day.bought_usd / day.usd + rng.normal(0, _TAKERS_SD, count), 0, 1) * usd
    noise = 1 + rng.normal(0, _VENUES_APART, (2, count))
    opens, closes = day.before * noise[0], day.price * noise[1]
    wick = (
        _WICK
        * profile.volatility
        * math.sqrt(STEP_S / _DAY_S)
        * np.abs(rng.standard_normal((2, count)))
    )
    highs, lows = (
        np.maximum(opens, closes) * (1 + wick[0]),
        np.minimum(opens, closes) * (1 - wick[1]),
    )
    runs = np.minimum(1, _CLUSTER * np.exp(rng.normal(0, _CLUSTER_SD, count)))
    runs = np.maximum(runs, 1 / np.maximum(1, trades))
    clusters = np.minimum(usd, np.maximum(runs * usd, forced_usd))
    starts = day.times()
    waits = _CLOSES_AFTER_MS + venue.delay_ms + rng.integers(0, _JITTER_MS, count)
    columns = (starts, waits, opens, highs, lows, closes, usd, bought, trades, clusters, day.mark)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_bar(day.coin, venue.name, *row) for row in rows]


def _bar(
    coin: str,
    exchange: str,
    start_ms: int,
    wait_ms: int,
    *said: Any,
) -> Bar:
    opened, high, low, close, usd, bought, trades, cluster, mark = said
    if not trades:
        opened = high = low = close = None
        usd = bought = cluster = 0.0
    return Bar(
        event_id=venue_id(exchange, coin, "bar", start_ms // 1000),
        ts_event_ms=start_ms + STEP_MS,
        ts_recv_ms=start_ms + STEP_MS + wait_ms,
        exchange=exchange,
        coin=coin,
        start_ms=start_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        notional_usd=usd,
        taker_buy_usd=bought,
        trades=trades,
        largest_cluster_usd=cluster,
        late_notional_usd=0.0,
        mark_price=mark,
    )
