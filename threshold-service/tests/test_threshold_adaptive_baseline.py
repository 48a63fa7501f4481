"""What is expected of a venue: its hours, its minutes, and a level that follows."""

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Kline
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.baseline import Baseline
from threshold_service.domain.adaptive.seasons import Seasons

MINUTE = 60_000
HOUR = 60 * MINUTE
MONDAY = 1_789_948_800_000
START = MONDAY // MINUTE
USD = 1e6

amounts = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1e9)


def wave(minute):
    """A day with an afternoon, half as much at the weekend, and a burst on the full hour."""
    day, hour = (minute - START) // 1440 % 7, minute % 1440 / 60
    weekend = math.log(0.5) if day >= 5 else 0.0
    return 0.6 * math.sin(2 * math.pi * (hour - 9) / 24) + weekend + 0.5 * (minute % 60 == 0)


def taught(days, log=wave, noise=0.3, session=1.0, seed=1):
    rng, baseline = random.Random(seed), Baseline()
    for minute in range(START, START + days * 1440):
        baseline.on_minute(minute, USD * math.exp(log(minute) + rng.gauss(0, noise)), session)
    return baseline


def kline(start_ms, usd, interval="1h"):
    length_ms = HOUR if interval == "1h" else HOUR // 4
    return sample(
        Kline,
        start_ms=start_ms,
        ts_event_ms=start_ms + length_ms,
        interval=interval,
        exchange="binance",
        notional_usd=usd,
    )


def worst_error(baseline, minutes):
    return max(abs(math.log(baseline.expected(m, 1.0).usd / USD) - wave(m)) for m in minutes)


def test_hours_and_minutes_are_learned_against_each_other():
    baseline = taught(28)
    seasons = baseline.seasons
    noon, night = START + 15 * 60, START + 3 * 60
    assert seasons.hour_part(noon) - seasons.hour_part(night) == pytest.approx(1.2, abs=0.3)
    saturday = START + 5 * 1440 + 15 * 60
    assert seasons.hour_part(saturday) - seasons.hour_part(noon) == pytest.approx(-0.69, abs=0.3)
    assert seasons.minutes[0] - seasons.minutes[7] == pytest.approx(0.5, abs=0.15)


def test_the_next_hour_is_expected_within_a_quarter():
    baseline = taught(30)
    assert worst_error(baseline, range(START + 30 * 1440, START + 30 * 1440 + 60)) < 0.25


def test_between_two_hours_it_goes_straight():
    seasons = Seasons(hours=[float(hour) for hour in range(168)])
    at = {seasons.hour_part(START + minute) for minute in (90, 105, 120)}
    assert at == {1.0, 1.25, 1.5}
    assert seasons.hour_part(START) == 83.5  # half of Sunday's last, half of Monday's first


def test_until_a_day_is_seen_others_stand_for_it():
    baseline = taught(1)
    friday = [baseline.seasons.hour_part(START + 4 * 1440 + hour * 60) for hour in (3, 15)]
    assert friday[1] - friday[0] > 0.3
    later = taught(8)
    tuesday_before = later.seasons.hour_part(START + 1440 + 15 * 60)
    for minute in range(START + 8 * 1440 + 60 * 20, START + 8 * 1440 + 60 * 22):
        later.on_minute(minute, USD * 3, 1.0)
    assert later.seasons.hour_part(START + 1440 + 15 * 60) == tuesday_before


def test_another_regime_is_usual_within_hours_and_leaves_the_profile():
    baseline = taught(28)
    before = list(baseline.seasons.hours)
    end = START + 28 * 1440
    for minute in range(end, end + 240):
        baseline.on_minute(minute, USD * math.exp(wave(minute) + 0.8), 1.0)
    expected = math.log(baseline.expected(end + 240, 1.0).usd / USD) - wave(end + 240)
    assert expected == pytest.approx(0.8, abs=0.2)
    moved = sum(abs(b - a) for a, b in zip(before, baseline.seasons.hours, strict=True))
    assert moved < 0.8 * 4


def test_a_few_wild_minutes_hardly_move_it():
    baseline = taught(7)
    end = START + 7 * 1440
    before = baseline.expected(end + 3, 1.0).usd
    for minute in range(end, end + 3):
        baseline.on_minute(minute, USD * 1e4, 1.0)
    assert baseline.expected(end + 3, 1.0).usd < before * 1.15


def test_the_sessions_of_the_requirements_stand_in_until_it_knows_better():
    fresh, old = taught(1, lambda _: 0.0, noise=0), taught(28, lambda _: 0.0, noise=0)
    minute = START + 28 * 1440
    assert fresh.expected(minute, 0.5).hour == pytest.approx(math.log(0.5) * 3 / 4)
    assert old.expected(minute, 0.5).hour == pytest.approx(math.log(0.5) * 3 / 31)


def test_it_is_known_after_half_an_hour_or_an_hour_of_history():
    baseline = Baseline()
    for minute in range(29):
        baseline.on_minute(START + minute, USD, 1.0)
    assert not baseline.known
    baseline.on_minute(START + 29, USD, 1.0)
    assert baseline.known
    warm = Baseline()
    warm.on_candle(kline(MONDAY, 60 * USD))
    assert warm.known
    assert warm.expected(START + 60, 1.0).usd == pytest.approx(USD, rel=0.01)


def test_after_a_gap_it_finds_the_level_quickly():
    baseline = taught(7, lambda _: 0.0)
    later = START + 9 * 1440
    for minute in range(later, later + 30):
        baseline.on_minute(minute, USD * 4, 1.0)
    assert baseline.expected(later + 30, 1.0).usd > 1.7 * USD


def history(baseline, days, until_ms):
    rng = random.Random(2)
    for start_ms in range(until_ms - days * 24 * HOUR, until_ms, HOUR):
        logs = [
            wave(m) + rng.gauss(0, 0.2) for m in range(start_ms // MINUTE, start_ms // MINUTE + 60)
        ]
        baseline.on_candle(kline(start_ms, sum(USD * math.exp(x) for x in logs)))


def test_a_month_of_candles_teaches_the_hours():
    baseline = Baseline()
    until_ms = MONDAY + 28 * 24 * HOUR
    history(baseline, 28, until_ms)
    full_hours = range(until_ms // MINUTE, until_ms // MINUTE + 7 * 1440, 60)
    hours = [baseline.seasons.hour_part(m + 30) - wave(m + 31) for m in full_hours]
    mean = sum(hours) / len(hours)
    assert math.sqrt(sum((h - mean) ** 2 for h in hours) / len(hours)) < 0.2
    assert baseline.seasons.learned_min == 28 * 1440
    assert worst_error(baseline, [until_ms // MINUTE + 5]) < 0.3


def test_quarters_teach_the_minutes_and_how_much_they_vary():
    rng, baseline = random.Random(3), Baseline()
    for i in range(30 * 96):
        log = (0.6, 0.0, 0.0, 0.0)[i % 4] + rng.gauss(0, 0.2)
        baseline.on_candle(kline(MONDAY + i * HOUR // 4, 15 * USD * math.exp(log), "15m"))
    minutes = baseline.seasons.minutes
    assert minutes[3] - minutes[33] == pytest.approx(0.6, abs=0.1)
    assert 1.4826 * baseline.spread.mad == pytest.approx(0.2 * math.sqrt(3 / 4), rel=0.25)


def test_a_quarter_that_is_missing_spoils_its_hour_only():
    baseline = Baseline()
    for quarter in (0, 1, 3, 4, 5, 6, 7, 8):
        baseline.on_candle(kline(MONDAY + quarter * HOUR // 4, 15 * USD, "15m"))
    assert baseline.spread.samples == 4


def test_candles_that_repeat_or_overlap_its_own_minutes_teach_nothing():
    baseline = Baseline()
    history(baseline, 7, MONDAY)
    before = msgspec.msgpack.encode(baseline)
    history(baseline, 7, MONDAY)
    assert msgspec.msgpack.encode(baseline) == before
    baseline.on_minute(START, USD, 1.0)
    before = msgspec.msgpack.encode(baseline)
    baseline.on_candle(kline(MONDAY, 60e9))
    baseline.on_candle(kline(MONDAY, 60e9, "15m"))
    assert msgspec.msgpack.encode(baseline) == before


@given(st.lists(st.tuples(st.integers(0, 3), amounts, st.sampled_from(["1h", "15m"])), max_size=60))
def test_no_candle_breaks_it(candles):
    baseline, at_ms = Baseline(), MONDAY
    for steps, usd, interval in candles:
        at_ms += steps * HOUR // 4
        baseline.on_candle(kline(at_ms, usd, interval))
    expected = baseline.expected(START, 0.7)
    assert math.isfinite(expected.usd)
    assert expected.usd >= 0


@given(st.lists(st.tuples(st.integers(1, 99), st.floats(0, 1e11)), max_size=60), st.integers(0, 60))
def test_a_snapshot_in_the_middle_changes_nothing(minutes, cut):
    whole, part, at = Baseline(), Baseline(), START
    for i, (steps, usd) in enumerate(minutes):
        at += steps
        if i == cut:
            part = msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=Baseline)
        for baseline in (whole, part):
            baseline.on_minute(at, usd, 0.9)
    assert whole == part
    assert whole.expected(at, 0.9) == part.expected(at, 0.9)
