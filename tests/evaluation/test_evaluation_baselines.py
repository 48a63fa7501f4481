import numpy as np
import pytest
from evaluation.baselines import alerts_of, ewma, scores
from evaluation.crossings import Scores, crossings, scaled
from evaluation.tape import Tape
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Bar, Liquidation
from foreshock_schemas.testing import sample

MINUTE_MS = 60_000


def series(values: list[float], step_ms: int = 1000) -> Scores:
    ms = np.arange(len(values), dtype=np.int64) * step_ms
    return Scores(coin="BTC", position=None, ms=ms, values=np.array(values, np.float32))


def test_a_rise_is_told_once_until_the_score_has_fallen():
    up_and_down = series([0, 3, 2, 3, 0.5, 3])

    assert crossings(up_and_down, 3, rearm_share=0.5, cooldown_ms=0) == [1000, 5000]


def test_every_value_counts_where_nothing_need_fall():
    assert crossings(series([3, 3, 0, 3]), 3, rearm_share=1, cooldown_ms=0) == [0, 1000, 3000]


def test_within_the_cooldown_nothing_is_told():
    assert crossings(series([3, 0, 3, 0, 3]), 3, rearm_share=0.5, cooldown_ms=3000) == [0, 4000]


def test_a_baseline_is_scaled_to_as_many_alerts():
    values = np.random.default_rng(7).lognormal(0, 1, 5000)
    noise = series(values.tolist(), MINUTE_MS)

    def count(limit: float) -> int:
        return len(alerts_of(noise, "volume", limit))

    for wanted in (1, 17, 100):
        assert count(scaled(count, wanted, float(values.max()))) == wanted


def test_a_baseline_that_cannot_tell_as_often_tells_as_often_as_it_can():
    three = series([0, 5, 0, 5, 0, 5, 0])

    def count(limit: float) -> int:
        return len(crossings(three, limit, rearm_share=0.5, cooldown_ms=0))

    assert count(scaled(count, 10, 5.0)) == 3


@given(st.lists(st.floats(0, 1e9), min_size=30, max_size=60), st.integers(1, 29))
def test_ewma_knows_nothing_of_what_comes(values: list[float], kept: int):
    ms = np.arange(len(values), dtype=np.int64) * MINUTE_MS
    whole = ewma(ms, np.array(values), 3_600_000)
    part = ewma(ms[:kept], np.array(values[:kept]), 3_600_000)

    assert part.tolist() == whole[:kept].tolist()


def test_ewma_stands_out_where_the_value_does():
    values = np.random.default_rng(7).lognormal(10, 0.3, 300)
    values[200] *= 30

    told = ewma(np.arange(300, dtype=np.int64) * MINUTE_MS, values, 3_600_000)

    assert told.argmax() == 200
    assert told[200] > 5


def test_the_market_is_as_loud_as_its_third_loudest_coin():
    tape = Tape()
    for place, coin in enumerate(("A", "B", "C", "D")):
        tape.on_event(
            sample(
                Liquidation, coin=coin, ts_event_ms=90_000 + place, notional_usd=1e4 * (place + 1)
            )
        )

    (market,) = scores(tape)["market-wide", "fixed"]

    assert market.values.max() == pytest.approx(2.0)


def test_every_baseline_scores_the_volume():
    tape = Tape()
    for second in range(3600):
        tape.on_event(
            sample(
                Bar, coin="BTC", ts_event_ms=1000 * second, notional_usd=1e5, late_notional_usd=0
            )
        )

    made = scores(tape)

    assert {baseline for detector, baseline in made if detector == "volume"} == {
        "prd", "ewma", "fixed",
    }  # fmt: skip
    assert all(len(each.ms) == len(each.values) for some in made.values() for each in some)
