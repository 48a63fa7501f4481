"""The three tests that the original requirements name for dynamic thresholds."""

from datetime import UTC, datetime

import pytest

from foreshock_schemas.events import MarketStats, Threshold
from foreshock_schemas.testing import sample
from threshold_service.domain.formulas import baseline_prd

TUESDAY_US = datetime(2026, 6, 16, 15, 0, tzinfo=UTC)


def limits(
    coin: str = "BTC",
    *,
    cap_usd: float = 2e12,
    daily_usd: float = 20e9,
    volatility: float = 0.05,
    at: datetime = TUESDAY_US,
) -> Threshold:
    at_ms = int(at.timestamp() * 1000)
    stats = sample(
        MarketStats,
        event_id=f"stats:{coin}:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 20,
        coin=coin,
        price=1.0,
        price_change_24h_pct=0.0,
        volume_24h_usd=daily_usd,
        market_cap_usd=cap_usd,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=daily_usd,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=volatility,
        volatility_ms=at_ms,
    )
    return baseline_prd(stats)


def test_btc_dynamic_threshold_calculation():
    """Test BTC gets appropriate dynamic thresholds"""
    btc = limits("BTC", volatility=0.03)
    assert btc.method == "baseline_prd"
    assert btc.tier == "mega"
    assert btc.volatility_multiplier == pytest.approx(0.96)
    assert btc.single_liquidation_usd == pytest.approx(20e9 * 0.0005 * 1.0 * 0.96)
    assert btc.cascade_usd == pytest.approx(5 * btc.single_liquidation_usd)
    assert btc.confidence == 1.0
    assert btc.next_review_ms - btc.ts_event_ms == 3_600_000
    assert limits("BTC", daily_usd=40e9).single_liquidation_usd == pytest.approx(
        2 * limits("BTC").single_liquidation_usd
    )


def test_weekend_vs_weekday_thresholds():
    """Test session multipliers work correctly"""
    at = {
        "us": TUESDAY_US,
        "european": datetime(2026, 6, 16, 10, 0, tzinfo=UTC),
        "asian": datetime(2026, 6, 16, 3, 0, tzinfo=UTC),
        "weekend": datetime(2026, 6, 20, 15, 0, tzinfo=UTC),
    }
    by_session = {session: limits(at=when) for session, when in at.items()}
    assert {session: each.session for session, each in by_session.items()} == {s: s for s in at}
    base_usd = 20e9 * 0.0005
    shares = {s: each.single_liquidation_usd / base_usd for s, each in by_session.items()}
    assert shares == pytest.approx({"us": 1.0, "european": 0.9, "asian": 0.7, "weekend": 0.5})


def test_small_cap_vs_large_cap_thresholds():
    """Test market cap-based threshold scaling"""
    caps_usd = (100.1e9, 100e9, 10e9, 1e9)
    tiers = [limits("X", cap_usd=cap_usd) for cap_usd in caps_usd]
    assert [each.tier for each in tiers] == ["mega", "large", "mid", "small"]
    shares = [each.single_liquidation_usd / 20e9 for each in tiers]
    assert shares == pytest.approx([0.0005, 0.001, 0.002, 0.005])
    assert [each.oi_change_pct for each in tiers] == pytest.approx([15.0, 18.0, 22.5, 30.0])
    small, large = limits("X", cap_usd=5e8, daily_usd=20e6), limits("BTC")
    assert small.single_liquidation_usd < large.single_liquidation_usd / 50
