"""Events as the services would have written them, from what a recording tells."""

from collections import defaultdict
from math import sqrt
from typing import Final

import numpy as np

from foreshock_schemas.events import (
    FeedHealth,
    Liquidation,
    MarketStats,
    OpenInterest,
    Position,
    Tier,
)
from foreshock_schemas.ids import content_id, derived_id

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

_MONTH_MS: Final = 30 * DAY_MS
_TIERS: Final[dict[str, Tier]] = {
    "BTC": "mega",
    "ETH": "mega",
    "SOL": "large",
    "DOGE": "large",
    "HYPE": "large",
    "AVAX": "mid",
    "ARB": "mid",
    "WIF": "small",
}
"""Roughly by market caps in 2025; a coin that is not here has no tier."""


def feed_health(exchange: str, channel: str, ms: int) -> FeedHealth:
    """Return that a channel is LIVE."""
    return FeedHealth(
        event_id=derived_id("feed", exchange, channel, ms),
        ts_event_ms=ms,
        ts_recv_ms=ms,
        exchange=exchange,
        channel=channel,
        state="LIVE",
        reason="recorded",
        since_ms=ms,
    )


def liquidation(
    exchange: str, coin: str, position: Position, price: float, usd: float, ms: int, number: str
) -> Liquidation:
    """Return a liquidation received when it happened; `number` tells it from others of its time."""
    return Liquidation(
        event_id=content_id(exchange, coin, "liquidation", ms, number),
        ts_event_ms=ms,
        ts_recv_ms=ms,
        exchange=exchange,
        symbol=coin,
        coin=coin,
        position=position,
        price=price,
        size_coins=usd / price,
        notional_usd=usd,
        coverage="unknown",
    )


def open_interest(
    exchange: str, coin: str, coins: float, price: float, ms: int, lag_ms: int = 0
) -> OpenInterest:
    """Return a reading, received `lag_ms` after it was true."""
    return OpenInterest(
        event_id=content_id(exchange, coin, "open-interest", ms),
        ts_event_ms=ms,
        ts_recv_ms=ms + lag_ms,
        exchange=exchange,
        symbol=coin,
        coin=coin,
        open_interest_coins=coins,
        open_interest_usd=coins * price,
        mark_price=price,
        index_price=None,
        funding_rate=None,
        funding_interval_h=None,
        next_funding_ms=None,
    )


def size(exchange: str, coin: str, ms: int) -> MarketStats:
    """Return statistics that say nothing but a coin's tier."""
    return MarketStats(
        event_id=derived_id("stats", coin, ms),
        ts_event_ms=ms,
        ts_recv_ms=ms,
        coin=coin,
        in_universe=True,
        exchanges=(exchange,),
        tier=_TIERS.get(coin),
        volume_days=0,
    )


class Stats:
    """One coin's market statistics each hour, from what was seen so far."""

    def __init__(self, exchange: str, coin: str) -> None:
        self._exchange = exchange
        self._coin = coin
        self._usd: defaultdict[int, float] = defaultdict(float)
        self._closes: dict[int, float] = {}
        self._began_ms: int | None = None
        self._told_ms = 0

    def add(self, ms: int, price: float, usd: float) -> MarketStats | None:
        """Count what was traded by `ms`; return the statistics if an hour has gone by."""
        if self._began_ms is None:
            self._began_ms = self._told_ms = ms
        due = ms - self._told_ms >= HOUR_MS
        stats = self._stats(ms, price) if due else None
        self._usd[ms // HOUR_MS] += usd
        self._closes[ms // HOUR_MS] = price
        return stats

    def _stats(self, ms: int, price: float) -> MarketStats:
        self._told_ms = ms
        oldest = (ms - _MONTH_MS) // HOUR_MS
        self._usd = defaultdict(float, {h: usd for h, usd in self._usd.items() if h > oldest})
        self._closes = {h: close for h, close in self._closes.items() if h > oldest}
        days = min(_MONTH_MS, ms - (self._began_ms or ms)) / DAY_MS
        return MarketStats(
            event_id=derived_id("stats", self._coin, ms),
            ts_event_ms=ms,
            ts_recv_ms=ms,
            coin=self._coin,
            in_universe=True,
            exchanges=(self._exchange,),
            price=price,
            tier=_TIERS.get(self._coin),
            avg_daily_volume_usd=sum(self._usd.values()) / days,
            volume_days=int(days),
            volume_ms=ms,
            volatility_daily=self._volatility(),
            volatility_ms=ms,
        )

    def _volatility(self) -> float | None:
        returns = np.diff(np.log(np.fromiter(self._closes.values(), float)))
        return float(np.std(returns, ddof=1)) * sqrt(24) if len(returns) >= 24 else None
