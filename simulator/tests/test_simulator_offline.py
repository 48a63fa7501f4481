"""Offline runs: the same from the same seed, in order, possible, and by the market's calendar."""

import itertools
from collections import Counter, defaultdict

import msgspec
import numpy as np
import pytest

from foreshock_schemas.events import Bar, FeedHealth, Kline, Liquidation, MarketStats, OpenInterest
from foreshock_schemas.topics import TOPICS
from foreshock_simulator.market.profiles import DEMO
from foreshock_simulator.market.seasons import activity
from foreshock_simulator.offline import LARGE, START_MS, simulate

SMALL = msgspec.structs.replace(LARGE, accounts=3000)
PEPE = next(profile for profile in DEMO if profile.base == "1000PEPE")
HOUR = 1 / 24


@pytest.fixture(scope="module")
def run():
    made = simulate("jump", 3, 4 * HOUR, profiles=(SMALL, PEPE))
    return list(made), made.truth


def of(events, kind):
    return [event for event in events if type(event) is kind]


def test_the_same_seed_gives_the_same_events_and_truth_and_another_others(run):
    again = simulate("jump", 3, 4 * HOUR, profiles=(SMALL, PEPE))
    assert list(again) == run[0]
    assert again.truth == run[1]
    other = simulate("jump", 4, 4 * HOUR, profiles=(SMALL, PEPE))
    assert list(other) != run[0]


def test_events_come_as_they_are_received_each_with_its_own_id(run):
    events, _ = run
    received = [event.ts_recv_ms for event in events]
    assert received == sorted(received)
    assert all(event.ts_event_ms <= event.ts_recv_ms for event in events)
    ids = Counter((type(event), event.event_id) for event in events)
    assert set(ids.values()) == {1}
    assert {type(event) for event in events} <= {topic.event for topic in TOPICS}


def test_days_follow_one_another_without_a_seam():
    long = simulate("calm", 5, 1 + HOUR, profiles=(SMALL,))
    received, starts = [], []
    for event in long:
        received.append(event.ts_recv_ms)
        if type(event) is Bar and event.exchange == "bybit":
            starts.append(event.start_ms)
    assert received == sorted(received)
    assert starts == list(range(START_MS, START_MS + 25 * 3_600_000, 5000))


def test_bars_are_possible(run):
    bars = of(run[0], Bar)
    assert {bar.exchange for bar in bars} == {"binance", "bybit", "okx"}
    for bar in bars:
        if not bar.trades:
            assert (bar.open, bar.notional_usd) == (None, 0)
            continue
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert 0 <= bar.taker_buy_usd <= bar.notional_usd
        assert 0 < bar.largest_cluster_usd <= bar.notional_usd
        assert bar.mark_price == pytest.approx(bar.close, rel=0.1)


def test_prices_and_amounts_are_those_of_one_coin(run):
    marks = defaultdict(list)
    for event in of(run[0], OpenInterest):
        marks[event.coin].append(event.mark_price)
        usd = event.open_interest_coins * event.mark_price
        assert event.open_interest_usd == pytest.approx(usd)
    assert np.median(marks["PEPE"]) == pytest.approx(PEPE.price / 1000, rel=0.3)
    assert np.median(marks["BTC"]) == pytest.approx(SMALL.price, rel=0.3)
    held = defaultdict(float)
    for event in of(run[0], OpenInterest)[:6]:
        held[event.coin] += event.open_interest_usd
    assert held["PEPE"] == pytest.approx(PEPE.held_usd, rel=0.4)
    assert held["BTC"] == pytest.approx(SMALL.held_usd, rel=0.4)
    for event in of(run[0], Liquidation):
        assert event.notional_usd == pytest.approx(event.size_coins * event.price)


def test_venues_show_liquidations_as_they_do(run):
    by_venue = defaultdict(list)
    for event in of(run[0], Liquidation):
        by_venue[event.exchange].append(event)
    assert {event.coverage for event in by_venue["bybit"]} == {"full"}
    for venue in ("binance", "okx"):
        assert {event.coverage for event in by_venue[venue]} == {"sampled"}
        seconds = Counter((event.coin, event.ts_event_ms // 1000) for event in by_venue[venue])
        assert set(seconds.values()) == {1}
    assert len({event.ts_event_ms % 1000 for event in by_venue["bybit"]}) > 20


def test_most_of_a_cascade_is_told_by_the_liquidations(run):
    events, truth = run
    largest = max(truth.cascades, key=lambda cascade: cascade.usd)
    assert largest.coin == "BTC"
    assert largest.usd > 3e6
    told = sum(
        event.notional_usd
        for event in of(events, Liquidation)
        if event.coin == largest.coin
        and event.position == largest.side
        and largest.onset_ms <= event.ts_event_ms <= largest.end_ms
    )
    assert 0.3 * largest.usd < told < 1.01 * largest.usd / largest.induced_share


def test_interest_is_polled_each_minute_and_statistics_come_each_hour(run):
    times = [
        e.ts_event_ms for e in of(run[0], OpenInterest) if (e.exchange, e.coin) == ("okx", "BTC")
    ]
    assert {b - a for a, b in itertools.pairwise(times)} == {60_000}
    stats = [e for e in of(run[0], MarketStats) if e.coin == "BTC"]
    assert len(stats) == 4
    assert stats[0].tier == "mega"


def test_health_is_said_each_minute_of_every_feed(run):
    told = Counter((e.exchange, e.channel) for e in of(run[0], FeedHealth))
    assert len(told) == 9
    assert set(told.values()) == {240}


def test_history_ends_where_the_run_begins(run):
    klines = [e for e in of(run[0], Kline) if (e.exchange, e.coin) == ("okx", "BTC")]
    by_interval = {name: [k for k in klines if k.interval == name] for name in ("15m", "1h")}
    assert {name: len(rows) for name, rows in by_interval.items()} == {"15m": 672, "1h": 720}
    for rows in by_interval.values():
        assert rows[-1].ts_event_ms == START_MS
        assert all(a.ts_event_ms == b.start_ms for a, b in itertools.pairwise(rows))
        assert all(a.close == b.open for a, b in itertools.pairwise(rows))
    bar = next(e for e in of(run[0], Bar) if (e.exchange, e.coin) == ("okx", "BTC"))
    assert bar.open == pytest.approx(by_interval["1h"][-1].close, rel=1e-3)


def test_history_follows_the_calendar_and_the_usual_volume(run):
    hours = [e for e in of(run[0], Kline) if (e.coin, e.interval) == ("BTC", "1h")]
    usd = np.array([hour.notional_usd for hour in hours])
    season = activity([hour.start_ms for hour in hours])
    assert np.corrcoef(np.log(usd), np.log(season))[0, 1] > 0.6
    daily = usd.sum() / 30
    assert daily == pytest.approx(SMALL.daily_usd * season.mean(), rel=0.25)
