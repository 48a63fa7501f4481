"""The original requirements' limits of one coin, as they were in force at any recent time."""

from typing import Final

import msgspec

from foreshock_schemas.events import MarketStats, Threshold
from threshold_service.domain.formulas import baseline_prd, fixed, positive
from threshold_service.domain.history import History
from threshold_service.domain.sessions import session_at

HISTORY: Final = 240
"""Limits kept: a week of hourly reviews and session changes."""


class Limits(msgspec.Struct):
    """Reviews a coin's limits as its statistics arrive, and finds those in force at a time.

    Limits are in force from the receipt of their statistics on, since receipt is what orders the
    topics. Whether a review is due, and of which session, goes by the statistics' own time.
    """

    coin: str
    _reviews: History[Threshold] = msgspec.field(default_factory=lambda: History(HISTORY))
    _fixed: Threshold | None = None

    def on_stats(self, stats: MarketStats, *, dynamic: bool) -> Threshold | None:
        """Return new limits if a review is due, else None; constants if not `dynamic`."""
        held = self._reviews.values
        if held and not _is_due(held[-1], stats):
            return None
        limits = baseline_prd(stats)
        self._reviews.add(stats.ts_recv_ms, limits)
        return limits if dynamic else fixed(limits)

    def at(self, ms: int, *, dynamic: bool) -> Threshold:
        """Return the limits whose statistics had been received at `ms`.

        For a time before all that is known these are the earliest: statistics are read before
        anything else. A coin of which nothing is known has the original constants; so has every
        coin if not `dynamic`.
        """
        if not self._reviews.values:
            if self._fixed is None:
                self._fixed = baseline_prd(_nothing_known(self.coin))
            return self._fixed
        limits = self._reviews.at(ms) or self._reviews.values[0]
        return limits if dynamic else self._constants(limits)

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
