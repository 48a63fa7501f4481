"""The limits of the original requirements: their formulas, and their constants.

Every number without a reason of its own is theirs.
"""

from typing import Final

from msgspec.structs import replace

from foreshock_schemas.events import MarketStats, Threshold, Tier
from foreshock_schemas.ids import derived_id
from foreshock_schemas.tiers import tier_of
from threshold_service.domain.sessions import MULTIPLIERS, session_at

BASELINE_PRD: Final = "baseline_prd"
FIXED: Final = "fixed"
REVIEW_MS: Final = 3_600_000
CASCADE_TIMES: Final = 5.0
SPIKE_TIMES: Final = 3.0
QUARTERS_A_DAY: Final = 96
OI_CHANGE_PCT: Final = 15.0

_DAY_MS: Final = 86_400_000
_FULL_DAYS: Final = 30
_OI_SHARE: Final = 0.0025
_OI_LEAST_USD: Final = 1_000_000.0

_BASE_SHARE: Final[dict[Tier, float]] = {
    "mega": 0.0005,
    "large": 0.001,
    "mid": 0.002,
    "small": 0.005,
}
_OI_FACTOR: Final[dict[Tier, float]] = {"mega": 1.0, "large": 1.2, "mid": 1.5, "small": 2.0}

_FIXED_USD: Final = {"BTC": 100_000.0, "ETH": 50_000.0, "SOL": 25_000.0}
_FIXED_USD_ELSE: Final = 10_000.0
_FIXED_OI: Final = {"BTC": (15.0, 50_000_000.0), "ETH": (18.0, 25_000_000.0)}
_FIXED_OI_ELSE: Final = (20.0, 10_000_000.0)
"""For other coins the requirements name none: our choice, going on as from BTC to ETH."""


def baseline_prd(stats: MarketStats) -> Threshold:
    """Return the limits of the original requirements' `DynamicThresholdEngine`, phase 1.

    Daily volume x share x session x volatility, and what follows from it. Without a daily volume
    the constants hold; without a market cap a coin counts as small; without a volatility its
    multiplier is 1. Confidence falls with each.
    """
    known = _known(stats)
    daily_usd = known.avg_daily_volume_usd
    if daily_usd is None:
        return known
    tier = known.tier or "small"
    session = MULTIPLIERS[known.session]
    volatility = volatility_multiplier(known.volatility_daily)
    single_usd = daily_usd * _BASE_SHARE[tier] * session * volatility
    return replace(
        known,
        event_id=derived_id("threshold", stats.coin, BASELINE_PRD, stats.event_id),
        method=BASELINE_PRD,
        single_liquidation_usd=single_usd,
        cascade_usd=single_usd * CASCADE_TIMES,
        volume_15m_usd=spike_limit(daily_usd, session),
        oi_change_pct=OI_CHANGE_PCT * _OI_FACTOR[tier] * volatility,
        oi_minimum_usd=max(_OI_SHARE * daily_usd, _OI_LEAST_USD),
        base_share=_BASE_SHARE[tier],
        session_multiplier=session,
        volatility_multiplier=volatility,
    )


def fixed(limits: Threshold) -> Threshold:
    """Return the original constants in place of these limits: the same at every hour.

    Only the volume limit needs the coin's daily volume.
    """
    single_usd = _FIXED_USD.get(limits.coin, _FIXED_USD_ELSE)
    oi_pct, oi_usd = _FIXED_OI.get(limits.coin, _FIXED_OI_ELSE)
    daily_usd = limits.avg_daily_volume_usd
    return replace(
        limits,
        event_id=derived_id("threshold", limits.coin, FIXED, limits.event_id),
        method=FIXED,
        single_liquidation_usd=single_usd,
        cascade_usd=single_usd * CASCADE_TIMES,
        volume_15m_usd=None if daily_usd is None else spike_limit(daily_usd, 1.0),
        oi_change_pct=oi_pct,
        oi_minimum_usd=oi_usd,
        base_share=None,
        session_multiplier=1.0,
        volatility_multiplier=1.0,
    )


def _known(stats: MarketStats) -> Threshold:
    """Return the constants, with what is known of the coin beside them."""
    cap_usd = positive(stats.market_cap_usd)
    return fixed(
        Threshold(
            event_id=stats.event_id,
            ts_event_ms=stats.ts_event_ms,
            ts_recv_ms=stats.ts_recv_ms,
            coin=stats.coin,
            method=FIXED,
            session=session_at(stats.ts_event_ms),
            tier=stats.tier if cap_usd is None else tier_of(cap_usd),
            single_liquidation_usd=0.0,
            cascade_usd=0.0,
            volume_15m_usd=None,
            oi_change_pct=0.0,
            oi_minimum_usd=0.0,
            market_cap_usd=cap_usd,
            avg_daily_volume_usd=positive(stats.avg_daily_volume_usd),
            volatility_daily=positive(stats.volatility_daily),
            base_share=None,
            session_multiplier=1.0,
            volatility_multiplier=1.0,
            confidence=confidence(stats),
            next_review_ms=stats.ts_event_ms + REVIEW_MS,
        )
    )


def volatility_multiplier(volatility_daily: float | None) -> float:
    """Return 1 at 5 % a day, 0.02 more for each further percent, between 0.5 and 2."""
    if volatility_daily is None:
        return 1.0
    return max(0.5, min(2.0, 1.0 + (volatility_daily - 0.05) * 2))


def spike_limit(daily_usd: float, session_multiplier: float) -> float:
    """Return the limit of a quarter of an hour's volume in USD: three times the usual."""
    return daily_usd / QUARTERS_A_DAY * session_multiplier * SPIKE_TIMES


def confidence(stats: MarketStats) -> float:
    """Return how far the inputs carry, 0 to 1.

    The share of market cap, volume, volatility and price that are present and younger than
    24 h, times the share of 30 days that the volume was averaged over.
    """
    now_ms = stats.ts_event_ms
    inputs = (
        (stats.market_cap_usd, stats.market_cap_ms),
        (stats.avg_daily_volume_usd, stats.volume_ms),
        (stats.volatility_daily, stats.volatility_ms),
        (stats.price, now_ms),
    )
    fresh = sum(
        positive(value) is not None and at_ms is not None and now_ms - at_ms < _DAY_MS
        for value, at_ms in inputs
    )
    return fresh / len(inputs) * min(1.0, stats.volume_days / _FULL_DAYS)


def positive(value: float | None) -> float | None:
    """Return the value if it is a positive number, else None: zero, NaN, and infinity are none."""
    return value if value is not None and 0 < value < float("inf") else None
