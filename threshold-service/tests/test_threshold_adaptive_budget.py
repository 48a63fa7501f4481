"""The budget of alerts: kept whatever the scores do, and never silent for good."""

import math
import random
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threshold_service.domain.adaptive.budget import CAPACITY, SILENT_MS, Bucket, Budget

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_790_000_000_000


def run(scores, per_day=3.0, budget=None, every_ms=MINUTE):
    budget = budget or Budget()
    return [
        (T0 + i * every_ms, budget.judge(score, T0 + i * every_ms, per_day))
        for i, score in enumerate(scores)
    ]


def fires(verdicts):
    return [ms for ms, verdict in verdicts if verdict == "fire"]


def t4(rng):
    return rng.gauss(0, 1) / math.sqrt(sum(rng.gauss(0, 1) ** 2 for _ in range(4)) / 4) / 1.1


def autoregressive(rng, minutes, share=0.3, draw=t4):
    return accumulate((draw(rng) for _ in range(minutes)), lambda x, e: share * x + e)


def shifted(rng, days, by, start, end):
    return [
        x + by * (start * 1440 <= i < end * 1440)
        for i, x in enumerate(autoregressive(rng, days * 1440))
    ]


def weekends(rng, days):
    """Six quiet days in fourteen: scores at a third."""
    return [x / (3 if i // 1440 % 7 >= 4 else 1) for i, x in enumerate(shifted(rng, days, 0, 0, 0))]


def most_in_any_span(times, per_day):
    """Return the largest number of alerts per budgeted one, over spans worth 30 or more."""
    worst, first = 0.0, 0
    for last, ms in enumerate(times):
        while (ms - times[first]) * per_day / DAY >= 30:
            first += 1
        for start in range(first):
            worth = (ms - times[start]) * per_day / DAY
            worst = max(worst, (last - start + 1) / worth)
    return worst


MARKETS = {
    "calm": lambda rng: shifted(rng, 25, 0, 0, 0),
    "up by 3": lambda rng: shifted(rng, 25, 3, 8, 25),
    "up by 10": lambda rng: shifted(rng, 25, 10, 8, 25),
    "up by 10 and back": lambda rng: shifted(rng, 25, 10, 8, 12),
    "strongly tied": lambda rng: list(
        autoregressive(rng, 25 * 1440, 0.97, random.Random.normalvariate)
    ),
    "weekends": lambda rng: weekends(rng, 25),
}


@pytest.mark.parametrize("market", MARKETS)
def test_no_market_gets_more_than_its_budget(market):
    alerts = fires(run(MARKETS[market](random.Random(4))))
    assert len(alerts) >= 20
    assert most_in_any_span(alerts, 3.0) <= 1.25


@pytest.mark.parametrize("market", MARKETS)
def test_no_market_is_silent_for_more_than_two_days(market):
    scores = MARKETS[market](random.Random(5))
    alerts = fires(run(scores))
    for before, after in pairwise([T0, *alerts, T0 + 25 * DAY]):
        unheard = scores[(before + SILENT_MS - T0) // MINUTE + 1 : (after - T0) // MINUTE]
        assert all(score <= Budget().least for score in unheard)


def test_a_steady_market_gets_its_budget():
    alerts = fires(run(shifted(random.Random(6), 40, 0, 0, 0)))
    after = [ms for ms in alerts if ms >= T0 + 3 * DAY]
    assert 0.8 * 3 <= len(after) / 37 <= 1.25 * 3


@given(
    st.lists(st.tuples(st.integers(0, 30 * HOUR), st.floats(-5, 50)), min_size=100, max_size=400),
    st.sampled_from([1.0, 3.0, 24.0, 300.0]),
)
def test_no_sequence_of_scores_gets_more_than_its_budget(steps, per_day):
    budget, ms, times = Budget(), T0, []
    for elapsed, score in steps:
        ms += elapsed
        if budget.judge(score, ms, per_day) == "fire":
            times.append(ms)
    assert most_in_any_span(times, per_day) <= 1.25


@given(st.lists(st.floats(2.001, 40), min_size=60, max_size=60), st.floats(2, 60), st.floats(1, 5))
def test_never_silent_while_scores_exceed_the_least(scores, threshold, per_day):
    """One score above the least each hour, for two and a half days, whatever the threshold is."""
    budget = Budget()
    budget.warm(threshold)
    assert fires(run(scores, per_day, budget, HOUR))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60), st.integers(0, 60))
def test_a_snapshot_in_the_middle_changes_nothing(scores, cut):
    whole, budget = run(scores), Budget()
    for i, score in enumerate(scores):
        if i == cut:
            budget = msgspec.msgpack.decode(msgspec.msgpack.encode(budget), type=Budget)
        assert budget.judge(score, T0 + i * MINUTE, 3.0) == whole[i][1]


def test_one_event_is_told_once_and_again_when_it_goes_on_for_an_hour():
    verdicts = [v for _, v in run([9.0] * 130)]
    assert [i for i, v in enumerate(verdicts) if v == "fire"] == [0, 60, 120]
    assert set(verdicts) == {"fire", "same"}


def test_a_gap_ends_an_event():
    verdicts = [v for _, v in run([9.0, *[0.0] * 14, 9.0, *[0.0] * 13, 9.0])]
    assert [verdicts[i] for i in (0, 15, 29)] == ["fire", "fire", "same"]


def test_an_event_that_grows_after_its_first_minutes_is_told_again():
    scores = [5.0, 8.0, 6.0, 7.0, 7.0, 9.4, 9.5, 9.5]
    assert [v for _, v in run(scores, budget=Budget(rise=1.5))] == [
        "fire", *["same"] * 5, "fire", "same",
    ]  # fmt: skip
    assert [v for _, v in run(scores)] == ["fire", *["same"] * 7]


def test_the_limit_rises_with_events_and_falls_with_time():
    budget = Budget()
    run([9.0, 0.0], 3.0, budget)
    assert budget.threshold == pytest.approx(4.2 - 0.2 * 3 / 1440)
    run([0.0] * 25, 3.0, budget, HOUR)
    assert budget.threshold == pytest.approx(4.2 - 0.2 * 3 * 24 / 24, abs=0.001)


def test_after_a_silence_the_limit_eases_to_the_least_and_the_next_event_sets_it():
    budget = Budget()
    budget.warm(20.0)
    run([0.0] * 37, 3.0, budget, HOUR)
    assert budget.limit == budget.threshold > 19
    for hour in range(37, 48):
        budget.judge(0.0, T0 + hour * HOUR, 3.0)
    assert budget.limit < 4
    assert budget.judge(5.0, T0 + 48 * HOUR, 3.0) == "fire"
    assert budget.limit == 2.0
    assert budget.threshold == pytest.approx(5.2)


def test_time_takes_the_limit_to_its_rest_and_only_silence_takes_it_lower():
    budget = Budget(threshold=6.0, rest=5.0)
    run([0.0] * 31, 10.0, budget, HOUR)
    assert budget.limit == budget.threshold == 5.0
    run([0.0] * 49, 10.0, budget, HOUR)
    assert (budget.limit, budget.threshold) == (2.0, 5.0)


def test_a_gap_in_the_judging_is_no_silence():
    budget = Budget()
    run([9.0], 3.0, budget)
    budget.judge(0.0, T0 + 20 * DAY, 3.0)
    assert budget.threshold == pytest.approx(4.2 - 0.2 * 3 / 4)
    assert budget.limit == budget.threshold


def test_what_may_not_be_said_costs_nothing_and_moves_the_limit_all_the_same():
    silent, aloud = Budget(), Budget(bucket=Bucket(tokens=99.0, filled_ms=T0))
    scores = MARKETS["up by 3"](random.Random(7))[: 9 * 1440]
    for i, score in enumerate(scores):
        verdict = silent.judge(score, T0 + i * MINUTE, 3.0, aloud=False)
        assert verdict in {"below", "same", "held"}
        aloud.judge(score, T0 + i * MINUTE, 3.0)
    assert silent.threshold == aloud.threshold > 4.5
    assert (silent.bucket.tokens, silent.held_back) == (CAPACITY, 0)


def test_what_goes_on_is_told_once_it_may_be():
    budget = Budget()
    verdicts = [budget.judge(9.0, T0 + i * MINUTE, 3.0, aloud=i >= 5) for i in range(10)]
    assert verdicts == ["held", *["same"] * 4, "fire", *["same"] * 4]


def test_what_is_held_back_is_counted_until_the_next_alert_has_said_it():
    budget = Budget(bucket=Bucket(tokens=1.0, filled_ms=T0))
    scores = [9.0, *[0.0] * 20] * 4
    assert [v for _, v in run(scores, 0.5, budget) if v != "below"] == ["fire", *["held"] * 3]
    assert budget.held_back == 3
    assert budget.judge(9.0, T0 + 3 * DAY, 0.5) == "fire"
    assert budget.held_back == 3
    assert budget.judge(9.0, T0 + 3 * DAY + HOUR, 0.5) == "held"
    assert budget.held_back == 1


def test_a_budget_of_nothing_holds_everything_back():
    assert {v for _, v in run([9.0, *[0.0] * 20] * 9, 0.0)} == {"held", "below"}


def test_saving_up_has_an_end():
    bucket = Bucket()
    assert not any(bucket.take(T0, 3.0) for _ in range(99) if not bucket.take(T0, 3.0))
    bucket.take(T0 + 90 * DAY, 3.0)
    assert bucket.tokens == CAPACITY - 1
