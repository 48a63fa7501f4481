"""The original rule for volume spikes: far more traded in a quarter of an hour than usual."""

from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Evidence, Signal, Threshold
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording
from threshold_service.domain.windows import Episode, RollingSum, cents_of

WINDOW_S: Final = 900
REARM_SHARE: Final = 0.8


class VolumeRule(msgspec.Struct):
    """Tells of a coin's volume over all exchanges when it rises above the limit.

    Looked at with every bar, so about every second; a new spike needs a fall to 0.8 of the limit.
    """

    window: RollingSum = msgspec.field(default_factory=lambda: RollingSum(WINDOW_S * 1000))
    episode: Episode = msgspec.field(default_factory=lambda: Episode(REARM_SHARE))

    def on_bar(self, bar: Bar, evidence: Evidence, limits: Threshold) -> Signal | None:
        """Count a bar; return a signal if the volume has risen above the limit with it."""
        window, at_ms = self.window, bar.ts_event_ms
        window.advance(at_ms)
        if not window.covers(at_ms):
            return None
        before_usd = window.cents / 100
        late = cents_of(bar.late_notional_usd)
        cents = cents_of(bar.notional_usd) + late
        if cents:
            window.add(at_ms, bar.exchange, cents, cents_of(bar.taker_buy_usd) + late // 2)
        limit = limits.volume_15m_usd
        if limit is None or not self.episode.begins(before_usd, window.cents / 100, limit):
            return None
        return _signal(bar, window, limits, limit, evidence)


def _signal(
    bar: Bar, window: RollingSum, threshold: Threshold, limit: float, evidence: Evidence
) -> Signal:
    value = window.cents / 100
    bought = window.tally / window.cents
    exchanges = window.tags()
    return Signal(
        event_id=derived_id("volume_spike", bar.coin, "both", bar.event_id),
        ts_event_ms=bar.ts_event_ms,
        ts_recv_ms=bar.ts_recv_ms,
        coin=bar.coin,
        kind="volume_spike",
        severity=wording.severity_of(value, limit),
        headline=(
            f"{bar.coin}: {wording.dollars(value)} traded in {WINDOW_S // 60} min "
            f"(limit {wording.dollars(limit)})"
        ),
        reasons=(
            wording.volume_limit(threshold, limit),
            f"buyers were the takers of {bought:.0%}, on {', '.join(exchanges)}",
            *wording.circumstances(threshold),
        ),
        value=value,
        limit=limit,
        unit="usd",
        window_s=WINDOW_S,
        position=None,
        direction=wording.way_of(bought),
        price=bar.mark_price or bar.close,
        method=threshold.method,
        exchanges=exchanges,
        coverage="full",
        evidence=(evidence,),
    )
