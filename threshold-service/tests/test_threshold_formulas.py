"""Sessions, limits, and which of them hold when."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import MarketStats
from foreshock_schemas.testing import sample
from threshold_service.domain import formulas
from threshold_service.domain.formulas import baseline_prd, fixed
from threshold_service.domain.limits import HISTORY, Limits
from threshold_service.domain.sessions import session_at

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = int(datetime(2026, 6, 16, 14, 0, tzinfo=UTC).timestamp() * 1000)  # a Tuesday, US session


def stats(at_ms=T0, coin="BTC", **changes):
    fields = {
        "price": 80_000.0,
        "market_cap_usd": 2e12,
        "market_cap_ms": at_ms,
        "tier": None,
        "avg_daily_volume_usd": 20e9,
        "volume_days": 30,
        "volume_ms": at_ms,
        "volatility_daily": 0.05,
        "volatility_ms": at_ms,
    }
    return sample(
        MarketStats,
        event_id=f"stats:{coin}:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 20,
        coin=coin,
        **(fields | changes),
    )


@pytest.mark.parametrize(
    ("when", "session"),
    [
        ("2026-06-16T13:29:59", "european"),  # New York opens at 13:30 UTC in summer
        ("2026-06-16T13:30:00", "us"),
        ("2026-06-16T19:59:59", "us"),
        ("2026-06-16T20:00:00", "asian"),
        ("2026-01-13T14:29:59", "european"),  # and at 14:30 in winter
        ("2026-01-13T14:30:00", "us"),
        ("2026-01-13T20:59:59", "us"),
        ("2026-03-17T13:30:00", "us"),  # New York has changed its clocks, London has not
        ("2026-03-17T07:59:59", "asian"),
        ("2026-03-17T08:00:00", "european"),
        ("2026-06-16T06:59:59", "asian"),
        ("2026-06-16T07:00:00", "european"),
        ("2026-06-16T22:00:00", "asian"),  # a gap
        ("2026-06-19T23:59:59", "asian"),
        ("2026-06-20T00:00:00", "weekend"),
        ("2026-06-21T23:59:59", "weekend"),
        ("2026-06-22T00:00:00", "asian"),
    ],
)
def test_sessions_follow_the_clocks_of_their_places(when, session):
    at = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert session_at(int(at.timestamp() * 1000)) == session


@given(st.floats(0, 10, allow_nan=False), st.floats(0, 10, allow_nan=False))
def test_volatility_raises_limits_within_its_clamp(one, other):
    low, high = sorted((one, other))
    multipliers = [formulas.volatility_multiplier(each) for each in (low, high)]
    assert 0.5 <= multipliers[0] <= multipliers[1] <= 2.0


@pytest.mark.parametrize(("volatility", "multiplier"), [(0.05, 1), (0.3, 1.5), (0.55, 2), (4, 2)])
def test_volatility_multiplier_by_example(volatility, multiplier):
    assert formulas.volatility_multiplier(volatility) == pytest.approx(multiplier)


def test_what_the_requirements_leave_open():
    limits = baseline_prd(stats())
    assert limits.volume_15m_usd == pytest.approx(20e9 / 96 * 3)
    assert limits.oi_change_pct == 15.0
    assert limits.oi_minimum_usd == pytest.approx(50e6)
    assert baseline_prd(stats(avg_daily_volume_usd=4e6)).oi_minimum_usd == 1e6


def test_confidence_falls_with_what_is_missing_old_or_short():
    assert formulas.confidence(stats()) == 1.0
    assert formulas.confidence(stats(volume_days=15)) == 0.5
    assert formulas.confidence(stats(volume_days=90)) == 1.0
    assert formulas.confidence(stats(price=None)) == 0.75
    assert formulas.confidence(stats(market_cap_ms=T0 - DAY)) == 0.75
    assert formulas.confidence(stats(market_cap_ms=T0 - DAY + 1)) == 1.0
    assert formulas.confidence(stats(volatility_ms=None)) == 0.75
    assert formulas.confidence(stats(volatility_daily=float("nan"), price=None)) == 0.5


def test_a_missing_input_never_counts_as_zero():
    without_cap = baseline_prd(stats(market_cap_usd=None))
    assert (without_cap.tier, without_cap.base_share) == (None, 0.005)
    assert baseline_prd(stats(market_cap_usd=None, tier="large")).base_share == 0.001
    assert baseline_prd(stats(volatility_daily=None)).volatility_multiplier == 1.0
    without_volume = baseline_prd(stats(avg_daily_volume_usd=None))
    assert (without_volume.method, without_volume.volume_15m_usd) == ("fixed", None)
    assert without_volume.single_liquidation_usd == 100_000


@pytest.mark.parametrize(
    ("coin", "single_usd", "oi_pct", "oi_usd"),
    [
        ("BTC", 100_000, 15, 50e6),
        ("ETH", 50_000, 18, 25e6),
        ("SOL", 25_000, 20, 10e6),
        ("DOGE", 10_000, 20, 10e6),
    ],
)
def test_the_original_constants(coin, single_usd, oi_pct, oi_usd):
    weekend = T0 + 4 * DAY
    limits = fixed(baseline_prd(stats(weekend, coin)))
    assert (limits.method, limits.session, limits.session_multiplier) == ("fixed", "weekend", 1.0)
    assert limits.single_liquidation_usd == single_usd
    assert limits.cascade_usd == 5 * single_usd
    assert (limits.oi_change_pct, limits.oi_minimum_usd) == (oi_pct, oi_usd)
    assert limits.volume_15m_usd == pytest.approx(20e9 / 96 * 3)


sane = st.floats(1, 1e13)


@given(cap=sane | st.none(), daily=sane | st.none(), volatility=st.floats(1e-4, 5) | st.none())
def test_limits_are_always_positive_and_repeatable(cap, daily, volatility):
    given_stats = stats(market_cap_usd=cap, avg_daily_volume_usd=daily, volatility_daily=volatility)
    limits = baseline_prd(given_stats)
    assert limits == baseline_prd(given_stats)
    assert limits.single_liquidation_usd > 0
    assert limits.cascade_usd == 5 * limits.single_liquidation_usd
    assert 0 <= limits.confidence <= 1


def test_a_review_comes_after_an_hour():
    book = Limits("BTC")
    assert book.on_stats(stats(T0), dynamic=True) is not None
    assert book.on_stats(stats(T0 + HOUR - 1), dynamic=True) is None
    assert book.on_stats(stats(T0 + HOUR), dynamic=True) is not None


def test_a_review_comes_with_a_new_session_and_with_inputs_that_were_missing():
    book = Limits("BTC")
    before_close = T0 + 5 * HOUR + 59 * MINUTE
    assert book.on_stats(stats(before_close, market_cap_usd=None), dynamic=True).session == "us"
    assert book.on_stats(stats(before_close + 1, market_cap_usd=None), dynamic=True) is None
    assert book.on_stats(stats(before_close + 2), dynamic=True).tier == "mega"
    assert book.on_stats(stats(before_close + 3, market_cap_usd=None), dynamic=True) is None
    assert book.on_stats(stats(T0 + 6 * HOUR), dynamic=True).session == "asian"
    assert book.on_stats(stats(before_close), dynamic=True) is None  # late: limits never go back


def test_limits_hold_from_the_receipt_of_their_statistics_on():
    book = Limits("BTC")
    first = book.on_stats(stats(T0), dynamic=True)
    told = msgspec.structs.replace(
        stats(T0 + HOUR, avg_daily_volume_usd=10e9), ts_recv_ms=T0 + HOUR + 40_000
    )
    second = book.on_stats(told, dynamic=True)
    assert book.at(T0 + HOUR + 40_000, dynamic=True) is second
    assert book.at(T0 + HOUR + 39_999, dynamic=True) is first
    assert book.at(T0 - DAY, dynamic=True) is first
    unknown = Limits("ETH")
    assert unknown.at(T0, dynamic=True).single_liquidation_usd == 50_000
    assert unknown.at(T0, dynamic=True) is unknown.at(T0 + DAY, dynamic=True)
    assert book.at(T0 + DAY, dynamic=False).single_liquidation_usd == 100_000


def test_history_is_bounded_and_searched():
    book = Limits("BTC")
    made = [book.on_stats(stats(T0 + n * HOUR), dynamic=True) for n in range(HISTORY + 10)]
    assert book.at(T0, dynamic=True) is made[10]
    for n in (20, HISTORY // 2, HISTORY + 9):
        assert book.at(T0 + n * HOUR + 45_000, dynamic=True) is made[n]


def test_limits_carry_the_time_of_their_statistics():
    given_stats = stats()
    limits = Limits("BTC").on_stats(given_stats, dynamic=True)
    assert (limits.ts_event_ms, limits.ts_recv_ms) == (T0, T0 + 20)
    other = msgspec.structs.replace(given_stats, event_id="stats:other")
    assert baseline_prd(other).event_id != limits.event_id
