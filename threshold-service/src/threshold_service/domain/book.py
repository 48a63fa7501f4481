"""The limits in force at any time of the recent past, so that a replay finds the same ones."""

from bisect import bisect_right
from typing import Final

from foreshock_schemas.events import MarketStats, Threshold
from threshold_service.domain.engine import Fixed, Method, positive
from threshold_service.domain.sessions import session_at

HISTORY: Final = 240
"""Limits kept per coin: a week of hourly reviews and session changes."""

SETTLED_MS: Final = 30_000
"""A limit is used from 30 s after its time on, so that a race between topics changes nothing."""


class _Coin:
    __slots__ = ("limits", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.limits: list[Threshold] = []


class Book:
    """Reviews limits as market statistics arrive, and finds those that held at a time."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._coins: dict[str, _Coin] = {}
        self._constants: dict[str, Threshold] = {}

    def on_stats(self, stats: MarketStats) -> Threshold | None:
        """Return new limits if a review is due, else None."""
        coin = self._coins.get(stats.coin)
        if coin is None:
            coin = self._coins[stats.coin] = _Coin()
        elif not _is_due(coin.limits[-1], stats):
            return None
        threshold = self._method.thresholds(stats)
        coin.times.append(stats.ts_event_ms)
        coin.limits.append(threshold)
        if len(coin.times) > HISTORY:
            del coin.times[0], coin.limits[0]
        return threshold

    def at(self, coin_name: str, ms: int) -> Threshold:
        """Return the coin's limits for an event of time `ms`: those of 30 s before.

        An event from before all that is known gets the earliest limits, a coin of which
        nothing is known the original constants.
        """
        coin = self._coins.get(coin_name)
        if coin is None:
            return self._original(coin_name)
        settled_ms = ms - SETTLED_MS
        if coin.times[-1] <= settled_ms:
            return coin.limits[-1]
        return coin.limits[max(0, bisect_right(coin.times, settled_ms) - 1)]

    def _original(self, coin_name: str) -> Threshold:
        constants = self._constants.get(coin_name)
        if constants is None:
            constants = Fixed().thresholds(_nothing_known(coin_name))
            self._constants[coin_name] = constants
        return constants


def _is_due(held: Threshold, stats: MarketStats) -> bool:
    now_ms = stats.ts_event_ms
    if now_ms <= held.ts_event_ms:
        return False
    if now_ms >= held.next_review_ms or session_at(now_ms) != held.session:
        return True
    inputs = (
        (held.market_cap_usd, stats.market_cap_usd),
        (held.avg_daily_volume_usd, stats.avg_daily_volume_usd),
        (held.volatility_daily, stats.volatility_daily),
    )
    return any(then is None and positive(now) is not None for then, now in inputs)


def _nothing_known(coin: str) -> MarketStats:
    return MarketStats(
        event_id="",
        ts_event_ms=0,
        ts_recv_ms=0,
        coin=coin,
        in_universe=False,
        exchanges=(),
        volume_days=0,
    )
