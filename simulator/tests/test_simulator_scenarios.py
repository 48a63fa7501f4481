"""Every scenario shows what it promises."""

import itertools
import math
from collections import defaultdict
from functools import cache

import msgspec
import numpy as np
import pytest

from foreshock_schemas.events import Bar, FeedHealth, Liquidation, OpenInterest
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.offline import LARGE, simulate

SMALL = msgspec.structs.replace(LARGE, accounts=3000)
DAY_S = 86_400
HOUR_MS = 3_600_000
SEED = 5


class Seen:
    def __init__(self, scenario, hours, profile):
        run = simulate(scenario, SEED, hours / 24, profiles=(profile,))
        self.by_type = defaultdict(list)
        for event in run:
            self.by_type[type(event)].append(event)
        self.truth = run.truth
        self.start_ms, self.end_ms = run.start_ms, run.end_ms

    @property
    def large(self):
        """Cascades that count."""
        return [c for c in self.truth.cascades if c.usd >= 3e6 and c.bp_of_open_interest >= 15]

    def polls(self, exchange):
        return [e for e in self.by_type[OpenInterest] if e.exchange == exchange]


@cache
def seen(scenario, hours=6, profile=SMALL):
    return Seen(scenario, hours, profile)


def flows(scenario, days, dt=60.0, seed=SEED):
    """Return the market alone, a flow for each step, at a step that is cheap."""
    market = Market(seed, scenario, (SMALL,), span_s=days * DAY_S)
    return [market.advance(dt)[SMALL.symbol] for _ in range(round(days * DAY_S / dt))]


def shocks(scenario, days):
    pace = SCENARIOS[scenario].pace(days * DAY_S)
    return list(SCENARIOS[scenario].shocks(SEED, (SMALL.symbol,), pace))


def closes(seen):
    """Return the last price by second since the start, on a venue that is not out."""
    bars = sorted(seen.by_type[Bar], key=lambda bar: bar.ts_event_ms)
    return {(bar.ts_event_ms - seen.start_ms) // 1000: bar.close for bar in bars}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_runs_and_knows_its_truth(scenario):
    events = simulate(scenario, SEED, 1 / 96, profiles=(SMALL,))
    assert {type(event) for event in events} >= {Bar, OpenInterest, FeedHealth}
    assert all(0 < each.induced_share <= 1 for each in events.truth.cascades)


def test_calm_plants_nothing_and_has_fewer_cascades_than_jumps():
    calm = seen("calm")
    assert (calm.truth.spikes, calm.truth.moves) == ([], [])
    assert len(calm.large) < len(seen("jump").large)
    assert {event.state for event in calm.by_type[FeedHealth]} == {"LIVE"}


def test_a_trend_leads_somewhere():
    logs = [math.log(flows("trend", 8, 120.0, seed)[-1].price / SMALL.price) for seed in range(3)]
    assert np.mean(logs) > 0.15


@pytest.mark.parametrize(
    ("scenario", "sign", "side"), [("jump", -1, "long"), ("squeeze", 1, "short")]
)
def test_a_shock_takes_the_price_with_it_and_a_side_down(scenario, sign, side):
    run, (first, *_) = seen(scenario), shocks(scenario, 0.25)
    prices = closes(run)
    before, after = prices[int(first.start_s)], prices[int(first.end_s) + 5]
    assert sign * math.log(after / before) > 0.035
    assert any(
        each.side == side and abs(each.onset_ms - run.start_ms - 1000 * first.start_s) < 120_000
        for each in run.large
    )


def test_a_thin_book_turns_small_shocks_into_cascades():
    assert max(abs(shock.log_return) for shock in shocks("cascade", 5)) < 0.02
    run = seen("cascade", 12, LARGE)
    assert run.large
    assert np.mean([each.induced_share for each in run.large]) > 0.8


def test_a_crash_takes_a_fifth_of_the_price_and_a_venue():
    run, (first, *_) = seen("crash"), shocks("crash", 0.25)
    prices = closes(run)
    begin, end = int(first.start_s), int(first.end_s)
    assert end - begin == 1200
    assert prices[begin + 1205] / prices[begin] < 0.85
    span = range(run.start_ms + 1000 * begin, run.start_ms + 1000 * end)
    out = {e.exchange for e in run.by_type[FeedHealth] if e.state == "DOWN"}
    assert len(out) == 1
    told = [e for e in run.by_type[Liquidation] if e.ts_event_ms in span]
    assert {e.coverage for e in told} == {"sampled"}
    assert {e.exchange for e in told} == {"binance", "bybit", "okx"} - out
    assert not [e for e in run.by_type[Bar] if e.exchange in out and e.ts_event_ms in span]


def test_a_regime_is_the_same_market_with_more_than_twice_the_volume():
    usual, shifted = flows("weekend", 3), flows("regime-shift", 3)
    ratio = np.array([a.usd / b.usd for a, b in zip(shifted, usual, strict=True) if not a.closed])
    assert [flow.price for flow in usual] == [flow.price for flow in shifted]
    assert set(ratio.round(9)) == {1.0, round(math.exp(0.8), 9)}
    third = len(usual) // 3
    times = [a.usd > 1.5 * b.usd for a, b in zip(shifted, usual, strict=True)]
    assert not any(times[: third - 1])
    assert not any(times[2 * third + 1 :])


def test_a_weekend_begins_on_a_friday_whatever_the_start():
    for day in range(7):
        run = simulate("weekend", SEED, 1 / 96, start_ms=day * 24 * HOUR_MS, profiles=(SMALL,))
        assert (run.start_ms // (24 * HOUR_MS) + 3) % 7 == 4
        assert 0 <= run.start_ms - day * 24 * HOUR_MS < 7 * 24 * HOUR_MS


def test_throttled_venues_show_one_liquidation_in_five_seconds():
    told = seen("throttled-feed").by_type[Liquidation]
    windows = [(event.exchange, event.ts_event_ms // 5000) for event in told]
    assert len(set(windows)) == len(windows)
    assert {event.coverage for event in told} == {"sampled"}
    assert seen("throttled-feed").truth == seen("jump").truth


def test_a_venue_that_is_out_says_nothing_and_is_said_to_be_down():
    run = seen("venue-outage")
    downs = [e for e in run.by_type[FeedHealth] if e.state == "DOWN"]
    venue, since_ms = downs[0].exchange, downs[0].since_ms
    back_ms = next(
        e.since_ms
        for e in run.by_type[FeedHealth]
        if e.exchange == venue and e.state == "LIVE" and e.since_ms > since_ms
    )
    assert 10 * 60_000 - 10_000 < back_ms - since_ms < 60 * 60_000
    for kind in (Bar, OpenInterest, Liquidation):
        mine = [e.ts_event_ms for e in run.by_type[kind] if e.exchange == venue]
        assert not [at for at in mine if since_ms <= at < back_ms - 2000]
    others = [
        e for e in run.by_type[Bar] if e.exchange != venue and since_ms <= e.ts_event_ms < back_ms
    ]
    assert others


def test_five_minute_interest_comes_seldom_and_late():
    polls = seen("five-minute-oi").polls("okx")
    assert set(np.diff([e.ts_event_ms for e in polls])) == {5 * 60_000}
    assert all(30_000 <= e.ts_recv_ms - e.ts_event_ms <= 60_000 for e in polls)


def test_a_glitch_multiplies_or_divides_by_a_thousand():
    ratios = []
    for venue in ("binance", "bybit", "okx"):
        coins = np.array([e.open_interest_coins for e in seen("multiplier-glitch").polls(venue)])
        ratios += list(coins / np.median(coins))
    wrong = [ratio for ratio in ratios if not 0.5 < ratio < 2]
    assert 0 < len(wrong) < 0.02 * len(ratios)
    assert all(500 < ratio < 2000 or 500 < 1 / ratio < 2000 for ratio in wrong)


def test_a_stale_poll_repeats_itself_for_a_quarter_of_an_hour_or_more():
    run, longest = seen("stale-poll"), {}
    for venue in ("binance", "bybit", "okx"):
        said = [e.open_interest_coins for e in run.polls(venue)]
        same = [0]
        for a, b in itertools.pairwise(said):
            same.append(same[-1] + 1 if a == b else 0)
        longest[venue] = max(same)
    assert 14 <= max(longest.values()) <= 45
    assert all(e.ts_event_ms <= e.ts_recv_ms for e in run.by_type[OpenInterest])


def test_a_change_of_definition_halves_one_venue_and_is_told_one_poll_late():
    run = seen("definition-change")
    middle_ms = (run.start_ms + run.end_ms) // 2
    halved = []
    for venue in ("binance", "bybit", "okx"):
        polls = run.polls(venue)
        after = next(n for n, e in enumerate(polls) if e.ts_event_ms >= middle_ms)
        ratio = polls[after].open_interest_coins / polls[after - 1].open_interest_coins
        if ratio < 0.75:
            halved.append(venue)
            assert ratio == pytest.approx(0.5, abs=0.02)
            since = [e.comparable_since_ms for e in polls]
            assert set(since[: after + 1]) == {0}
            assert set(since[after + 1 :]) == {middle_ms}
        else:
            assert {e.comparable_since_ms for e in polls} == {0}
    assert len(halved) == 1


def test_the_placebo_has_the_cascades_liquidations_but_at_any_time():
    real, placebo = seen("cascade", 12, LARGE), seen("placebo", 12, LARGE)
    assert placebo.truth == real.truth

    def units(run):
        return sorted(e.size_coins for e in run.by_type[Liquidation] if e.exchange == "bybit")

    def busiest(run):
        minutes = defaultdict(float)
        for event in run.by_type[Liquidation]:
            minutes[event.ts_event_ms // 60_000, event.position] += event.notional_usd
        return max(minutes.values()) / sum(minutes.values())

    assert units(placebo) == units(real)
    assert busiest(placebo) < 0.5 * busiest(real)


def test_planted_spikes_multiply_the_volume_and_are_told():
    run, calm = seen("spikes", 12), seen("calm", 12)
    assert len(run.truth.spikes) >= 2
    volume, usual = (volumes(each) for each in (run, calm))
    for spike in run.truth.spikes:
        assert 4 <= spike.times <= 12
        assert 60 <= spike.lasts_s <= 300
        inside = range(spike.at_ms, spike.at_ms + round(1000 * spike.lasts_s) - 5000)
        steps = [at for at in volume if at in inside]
        ratio = sum(volume[at] for at in steps) / sum(usual[at] for at in steps)
        assert ratio == pytest.approx(spike.times, rel=0.25)


def volumes(run):
    found = defaultdict(float)
    for bar in run.by_type[Bar]:
        found[bar.start_ms] += bar.notional_usd
    return found


def test_planted_interest_grows_on_every_venue_and_is_told():
    run, calm = seen("oi-moves", 12), seen("calm", 12)
    assert run.truth.moves
    for move in run.truth.moves:
        assert 3 <= move.pct <= 12
        assert 300 <= move.lasts_s <= 900
        for venue in ("binance", "bybit", "okx"):
            at = {e.ts_event_ms: e.open_interest_coins for e in run.polls(venue)}
            usual = {e.ts_event_ms: e.open_interest_coins for e in calm.polls(venue)}
            before = max(ms for ms in at if ms < move.at_ms)
            after = min(ms for ms in at if ms >= move.at_ms + 1000 * move.lasts_s)
            grown = at[after] / usual[after] * usual[before] / at[before]
            assert 100 * (grown - 1) == pytest.approx(move.pct, abs=0.7)
