"""What the market commands say, from the topics' events."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import (
    Bar,
    FeedHealth,
    Kline,
    Liquidation,
    MarketStats,
    OpenInterest,
    Subscription,
    Threshold,
    Zone,
    ZoneMap,
)
from foreshock_schemas.testing import sample
from telegram_gateway.domain import answers, markup
from telegram_gateway.domain.desk import MARKET_COMMANDS, Desk
from telegram_gateway.domain.profile import picture, value_area
from telegram_gateway.domain.views import Views

NOW = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000 + 1_800_000
MINUTE = 60_000
HOUR = 3_600_000


def bar(ago_ms=1_000, *, notional=1_000.0, bought=600.0, close=100.0, **fields):
    start_ms = NOW - ago_ms
    values = {
        "event_id": f"bar:{start_ms}",
        "ts_event_ms": start_ms + 1_000,
        "ts_recv_ms": start_ms + 1_010,
        "exchange": "binance",
        "coin": "BTC",
        "start_ms": start_ms,
        "open": close,
        "high": close,
        "low": close,
        "close": close,
        "notional_usd": notional,
        "taker_buy_usd": bought,
        "trades": 3,
        "largest_cluster_usd": notional,
        "late_notional_usd": 0.0,
        "mark_price": 100.5,
    }
    return Bar(**(values | fields))


def kline(hours_ago, low, high, notional=1_000.0, interval="1h"):
    start_ms = NOW - NOW % HOUR - hours_ago * HOUR
    return sample(
        Kline,
        event_id=f"kline:{start_ms}",
        ts_event_ms=start_ms + HOUR,
        exchange="binance",
        coin="BTC",
        interval=interval,
        start_ms=start_ms,
        high=high,
        low=low,
        close=high,
        notional_usd=notional,
    )


def stats(coin="BTC", *, volume=8e9, in_universe=True, **fields):
    values = {
        "event_id": f"stats:{coin}",
        "ts_event_ms": NOW,
        "ts_recv_ms": NOW,
        "coin": coin,
        "in_universe": in_universe,
        "exchanges": ("binance",),
        "price": 99.0,
        "price_change_24h_pct": -1.5,
        "volume_24h_usd": volume,
        "market_cap_usd": 1e12,
        "market_cap_source": "bundled",
        "market_cap_ms": NOW,
        "tier": "mega",
        "avg_daily_volume_usd": 9.6e9,
        "volume_days": 30,
        "volume_ms": NOW,
        "volatility_daily": 0.03,
        "volatility_ms": NOW,
    }
    return MarketStats(**(values | fields))


def reading(ago_ms=0, *, coins=10.0, exchange="binance", **fields):
    values = {
        "event_id": f"oi:{exchange}:{ago_ms}",
        "ts_event_ms": NOW - ago_ms,
        "ts_recv_ms": NOW - ago_ms,
        "exchange": exchange,
        "symbol": "BTCUSDT",
        "coin": "BTC",
        "open_interest_coins": coins,
        "open_interest_usd": coins * 100,
        "mark_price": 100.0,
        "index_price": 100.0,
        "funding_rate": 0.0001,
        "funding_interval_h": 8.0,
        "next_funding_ms": NOW + HOUR,
    }
    return OpenInterest(**(values | fields))


def liquidation(number, *, position="long", notional=5e6, coin="BTC", coverage="full", ago_ms=0):
    return sample(
        Liquidation,
        event_id=f"liquidation:{number}",
        ts_event_ms=NOW - ago_ms,
        ts_recv_ms=NOW - ago_ms,
        exchange="binance",
        coin=coin,
        position=position,
        price=100.0,
        notional_usd=notional,
        coverage=coverage,
    )


def threshold():
    return sample(
        Threshold,
        ts_event_ms=NOW,
        ts_recv_ms=NOW,
        coin="BTC",
        method="baseline_prd",
        single_liquidation_usd=4e6,
        volume_15m_usd=3e8,
    )


def ask(views, command, *words):
    return markup.message(Desk(views).market(command, words, NOW).blocks)


@pytest.fixture
def views():
    known = Views()
    known.on_event(stats())
    return known


@pytest.mark.parametrize("command", MARKET_COMMANDS)
def test_what_is_not_known_is_said_to_be_so(command):
    known = Views()
    known.on_event(
        stats(
            price=None,
            price_change_24h_pct=None,
            volume_24h_usd=None,
            avg_daily_volume_usd=None,
        )
    )
    said = ask(known, command, "BTC")
    assert "BTC" in said
    assert "seen" in said
    assert "None" not in said


def test_price_has_change_mark_and_funding_over_a_year(views):
    at_the_poll = ask(views, "price", "BTC")
    assert "$99" in at_the_poll
    assert "-1.5 %" in at_the_poll
    for event in (bar(), reading(500)):
        views.on_event(event)
    said = ask(views, "price", "btc-usdt")
    assert "<b>$100</b>" in said
    assert "-0.5 %" in said
    assert "+0.0100 % per 8 h on binance (+10.9 % a year)" in said
    views.on_event(reading(funding_rate=None))
    assert "unknown" in ask(views, "price", "BTC")


def test_an_older_price_does_not_replace_a_newer_one(views):
    views.on_event(bar(1_000, close=100.0))
    views.on_event(bar(9_000, close=50.0))
    views.on_event(bar(1_000, close=None, mark_price=None))
    assert "<b>$100</b>" in ask(views, "price", "BTC")


def test_volume_is_held_against_the_usual(views):
    views.on_event(bar(notional=1e8))
    views.on_event(threshold())
    said = ask(views, "volume", "BTC")
    assert "15 min  <b>$100M</b>  (1.0 x the usual, only 1 s seen)" in said
    assert "$9.60B a day (30 days)" in said
    assert "from $300M in 15 min on" in said


def test_volume_without_history_names_no_usual_but_what_was_seen(views):
    views.on_event(stats(avg_daily_volume_usd=None))
    views.on_event(bar(notional=1e8))
    said = ask(views, "volume", "BTC")
    assert "usual" not in said
    assert "15 min  <b>$100M</b>  (only 1 s seen)" in said


@pytest.mark.parametrize("command", ["volume", "cvd"])
def test_a_window_of_which_a_part_was_seen_says_so(views, command):
    views.on_event(bar(20 * MINUTE))
    views.on_event(bar())
    quarter, hour = (
        line for line in ask(views, command, "BTC").splitlines() if line[:3] in {"15 ", "1 h"}
    )
    assert "only" not in quarter
    assert "only 20 min seen" in hour


def test_cvd_is_what_takers_bought_less_what_they_sold(views):
    views.on_event(bar(10 * MINUTE, notional=1_000.0, bought=0.0, late_notional_usd=500.0))
    views.on_event(bar(3 * MINUTE, notional=1_000.0, bought=900.0))
    said = ask(views, "cvd", "BTC")
    assert "5 min  <b>+$800</b>  (90% bought" in said
    assert "15 min" in said
    assert views.coin("BTC").trading.over(15 * MINUTE, NOW).delta_usd == pytest.approx(-200)


@given(
    st.lists(
        st.tuples(st.integers(0, 3_500), st.floats(0, 1e9), st.floats(0, 1)),
        min_size=1,
        max_size=50,
    )
)
def test_cvd_over_an_hour_is_the_sum_of_its_bars(given_bars):
    known = Views()
    for ago_s, notional, share in sorted(given_bars, reverse=True):
        known.on_event(bar(ago_s * 1_000, notional=notional, bought=notional * share))
    flow = known.coin("BTC").trading.over(HOUR, NOW)
    expected = sum(notional * (2 * share - 1) for _, notional, share in given_bars)
    assert math.isclose(flow.delta_usd, expected, rel_tol=1e-6, abs_tol=1e-3)


def test_open_interest_changes_by_coins_where_both_ends_are_known(views):
    for event in (
        reading(15 * MINUTE, coins=8.0),
        reading(5 * MINUTE, coins=10.0),
        reading(coins=11.0),
        reading(coins=99.0, exchange="okx"),
    ):
        views.on_event(event)
    said = ask(views, "oi", "BTC")
    assert "5 min  +10.00 %" in said
    assert "15 min  +37.50 %" in said
    assert "1 h" not in said
    assert "okx  $9.90k" in said


def test_liquidations_of_a_coin_have_sides_a_floor_and_the_limit(views):
    views.on_event(threshold())
    views.on_event(liquidation(1, coverage="sampled"))
    views.on_event(liquidation(2, position="short", notional=1e6))
    views.on_event(liquidation(3, ago_ms=HOUR + 1))
    said = ask(views, "liquidations", "BTC")
    assert "at least $5M of longs, $1M of shorts, 2 orders" in said
    assert "large  from $4M on" in said


def test_a_liquidation_that_was_written_twice_counts_once(views):
    views.on_event(liquidation(1))
    views.on_event(liquidation(1))
    assert "$5M of longs, $0 of shorts, 1 order" in ask(views, "liquidations", "BTC")


def test_liquidations_of_a_coin_name_the_nearest_zones(views):
    zones = tuple(sample(Zone, position="long", price=price) for price in (95.0, 90.0, 80.0, 70.0))
    views.on_event(bar(close=100.0))
    views.on_event(sample(ZoneMap, coin="BTC", zones=zones))
    said = ask(views, "liquidations", "BTC")
    assert "zone  about $1 of longs at $95 (-5.0 %)" in said
    assert said.count("zone  about") == 3


def test_all_liquidations_are_ranked_by_money(views):
    assert "nothing seen" in ask(views, "liquidations")
    for number, (coin, usd) in enumerate([("ETH", 1e6), ("BTC", 7e6), ("SOL", 2e6)]):
        views.on_event(liquidation(number, coin=coin, notional=usd))
    said = ask(views, "liquidations")
    assert said.index("BTC") < said.index("SOL") < said.index("ETH")
    assert "$10M of longs" in said


def test_the_profile_finds_where_most_was_traded(views):
    views.on_event(kline(2, 95.0, 105.0, notional=1_000.0))
    views.on_event(kline(1, 99.9, 100.1, notional=9_000.0))
    views.on_event(kline(1, 50.0, 51.0, notional=9e9, interval="15m"))
    views.on_event(bar(notional=500.0, close=101.0))
    said = ask(views, "profile", "BTC")
    assert "most traded  <b>$1" in said or "most traded  <b>$99" in said
    assert "█" in said
    assert "◄" in said
    area = value_area(views.coin("BTC").profile.rows())
    assert area.low <= area.most_traded <= area.high
    assert area.traded_usd == pytest.approx(10_500.0)


def test_history_read_again_counts_once_and_exchanges_add_up(views):
    other = msgspec.structs.replace(kline(1, 100.0, 100.0), exchange="okx")
    for event in (kline(1, 100.0, 100.0), other, kline(1, 100.0, 100.0)):
        views.on_event(event)
    views.on_event(bar(HOUR, close=100.0))
    assert sum(views.coin("BTC").profile.rows().values()) == pytest.approx(2_000.0)


def test_a_day_of_hours_is_kept_and_history_counts_once(views):
    for hours_ago in range(30, 0, -1):
        views.on_event(kline(hours_ago, 100.0, 100.0))
        views.on_event(bar(hours_ago * HOUR, close=100.0))
    rows = views.coin("BTC").profile.rows()
    assert sum(rows.values()) == pytest.approx(24 * 1_000.0)


def test_a_quarter_of_an_hour_pushes_no_hour_out(views):
    for hours_ago in range(24, 0, -1):
        views.on_event(kline(hours_ago, 100.0, 100.0))
    quarter = kline(0, 100.0, 100.0, interval="15m")
    views.on_event(msgspec.structs.replace(quarter, start_ms=quarter.start_ms + 15 * MINUTE))
    assert sum(views.coin("BTC").profile.rows().values()) == pytest.approx(24 * 1_000.0)


@given(st.dictionaries(st.integers(-500, 500), st.floats(0.01, 1e9), min_size=1, max_size=80))
def test_the_value_area_holds_70_percent_and_the_picture_every_row(rows):
    area = value_area(rows)
    low, high = math.log(area.low) / 0.001, math.log(area.high) / 0.001
    held = sum(usd for row, usd in rows.items() if low - 1 <= row <= high)
    assert held >= 0.7 * sum(rows.values()) * 0.999
    lines = picture(rows, area.most_traded)
    assert 1 <= len(lines) <= 11
    assert sum("◄" in line for line in lines) == 1


def test_no_trades_make_no_profile():
    assert value_area({}) is None
    assert picture({}, None) == []


def test_events_of_other_kinds_are_passed_over(views):
    views.on_event(
        Subscription(
            event_id="s",
            ts_event_ms=NOW,
            ts_recv_ms=NOW,
            chat_id=1,
            active=True,
            changed_by="user",
            announced=True,
        )
    )
    assert views.followed() == ["BTC"]


def test_coins_are_followed_while_they_are_in_the_universe(views):
    views.on_event(stats("ETH", volume=9e9))
    views.on_event(stats("OLD", in_universe=False))
    views.on_event(liquidation(1, coin="NEW"))
    assert views.followed() == ["ETH", "BTC"]
    assert "not followed" in ask(views, "price", "OLD")


def test_zones_and_feeds_are_known(views):
    zones = sample(
        ZoneMap,
        coin="BTC",
    )
    feed = sample(
        FeedHealth,
        exchange="binance",
        channel="trades",
        state="LIVE",
    )
    for event in (zones, feed, msgspec.structs.replace(feed, state="DOWN")):
        views.on_event(event)
    assert views.coin("BTC").zones == zones
    assert views.feeds["binance", "trades"].state == "DOWN"


def test_an_exchange_that_fell_silent_is_no_part_of_open_interest(views):
    for event in (reading(7 * MINUTE, coins=50.0, exchange="okx"), reading(coins=11.0)):
        views.on_event(event)
    text = "\n".join(answers.open_interest("BTC", views.coin("BTC"), NOW))
    assert "11" in text
    assert "okx" in text
    assert "not counted: nothing since" in text
    assert "61" not in text


def test_open_interest_that_is_counted_in_another_way_has_no_change_yet(views):
    since_ms = NOW - 5 * MINUTE
    for event in (
        reading(15 * MINUTE, coins=8.0),
        reading(coins=16.0, comparable_since_ms=since_ms),
    ):
        views.on_event(event)
    text = "\n".join(answers.open_interest("BTC", views.coin("BTC"), NOW))
    assert "%" not in text.partition("funding")[0]
