"""One coin's limits in force at any time of the recent past, so that a replay finds the same."""

from bisect import bisect_right
from typing import Final

import msgspec

from foreshock_schemas.events import MarketStats, Threshold
from threshold_service.domain.engine import baseline_prd, fixed, positive
from threshold_service.domain.sessions import session_at
from threshold_service.domain.surroundings import SETTLED_MS

HISTORY: Final = 240
"""Limits kept: a week of hourly reviews and session changes."""


class Limits(msgspec.Struct):
    """Reviews a coin's limits as its statistics arrive, and finds those that held at a time."""

    coin: str
    _times: list[int] = msgspec.field(default_factory=list)
    _limits: list[Threshold] = msgspec.field(default_factory=list)
    _fixed: Threshold | None = None

    def on_stats(self, stats: MarketStats, *, dynamic: bool) -> Threshold | None:
        """Return new limits if a review is due, else None."""
        if self._limits and not _is_due(self._limits[-1], stats):
            return None
        limits = baseline_prd(stats)
        self._times.append(stats.ts_event_ms)
        self._limits.append(limits)
        if len(self._times) > HISTORY:
            del self._times[0], self._limits[0]
        return limits if dynamic else fixed(limits)

    def at(self, ms: int, *, dynamic: bool) -> Threshold:
        """Return the limits for an event of time `ms`: those of 30 s before.

        An event from before all that is known gets the earliest limits, a coin of which nothing
        is known the original constants, as every coin does that is not `dynamic`.
        """
        if not self._limits:
            if self._fixed is None:
                self._fixed = baseline_prd(_nothing_known(self.coin))
            return self._fixed
        settled_ms = ms - SETTLED_MS
        place = -1
        if self._times[-1] > settled_ms:
            place = max(0, bisect_right(self._times, settled_ms) - 1)
        return self._limits[place] if dynamic else self._constants(self._limits[place])

    def _constants(self, limits: Threshold) -> Threshold:
        held = self._fixed
        if held is None or held.ts_event_ms != limits.ts_event_ms:
            held = self._fixed = fixed(limits)
        return held


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
