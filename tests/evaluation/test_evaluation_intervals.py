import numpy as np
import pytest
from evaluation.intervals import of_ratio, of_share, wilson


def test_wilson_gives_the_textbook_interval():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_without_events_there_is_no_interval():
    assert of_share(np.zeros(48), np.zeros(48)) is None


def test_few_events_get_wilsons_interval():
    hits, events = np.zeros(48), np.zeros(48)
    hits[:8], events[:10] = 1, 1

    assert of_share(hits, events) == pytest.approx(wilson(8, 10))


def test_independent_hits_give_about_wilsons_interval():
    random = np.random.default_rng(7)
    events = random.poisson(1.0, 2000).astype(float)
    hits = random.binomial(events.astype(int), 0.6).astype(float)

    assert of_share(hits, events) == pytest.approx(wilson(hits.sum(), events.sum()), abs=0.012)


def test_hits_that_come_by_days_are_less_sure():
    random = np.random.default_rng(7)
    events = np.ones(24 * 60)
    hits = np.repeat((random.random(60) < 0.6).astype(float), 24)

    low, high = of_share(hits, events)
    narrow_low, narrow_high = wilson(hits.sum(), events.sum())

    assert high - low > 3 * (narrow_high - narrow_low)


def test_a_ratio_is_drawn_in_pairs():
    ours = np.random.default_rng(7).poisson(2.0, 500).astype(float)

    assert of_ratio(ours, ours) == (1.0, 1.0)
    assert of_ratio(3 * ours, ours) == (3.0, 3.0)
