"""Sketches and scales: what they say of what they have seen, and that they forget."""

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from threshold_service.domain.adaptive.scale import Scale
from threshold_service.domain.adaptive.sketch import BINS, Sketch

DAY = 86_400_000
T0 = 1_790_000_000_000

numbers = st.floats(allow_nan=True, allow_infinity=True)


def sketch_of(values, ms=T0):
    sketch = Sketch()
    for value in values:
        sketch.add(value, ms)
    return sketch


def scale_of(values, every_ms=60_000, half_life_s=43_200.0):
    scale = Scale(half_life_s)
    for i, value in enumerate(values):
        scale.add(value, T0 + i * every_ms)
    return scale


@given(st.lists(st.floats(1e-5, 1e11), min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_right_to_one_percent(values, q):
    exact = sorted(values)[min(len(values) - 1, math.floor(q * len(values) + 1e-9))]
    near = sorted(values)[max(0, math.ceil(q * len(values) - 1e-9) - 1)]
    found = sketch_of(values).quantile(q)
    assert min(exact, near) * 0.985 <= found <= max(exact, near) * 1.015


@given(st.lists(st.floats(1e-5, 1e11), min_size=1, max_size=200), st.floats(1e-5, 1e11))
def test_a_tail_is_right_but_for_what_lies_within_two_percent(values, value):
    tail = sketch_of(values).tail(value)
    assert sum(v > value * 1.021 for v in values) <= tail * len(values) + 1e-6
    assert tail * len(values) <= sum(v > value for v in values) + 1e-6


def test_nothing_seen():
    assert (Sketch().quantile(0.5), Sketch().tail(1.0), Sketch().weight) == (None, 1.0, 0.0)


def test_a_tail_goes_on_further_out_than_anything_seen():
    rng = random.Random(9)
    sketch = sketch_of(rng.expovariate(1.0) for _ in range(50_000))
    assert sketch.rarity(3.0) == pytest.approx(math.exp(-3), rel=0.1)
    assert math.log10(sketch.rarity(math.log(1e6))) == pytest.approx(-6, abs=0.6)
    assert sketch.exceeded_once_in(1e6) == pytest.approx(math.log(1e6), rel=0.1)
    assert (Sketch().rarity(5.0), Sketch().exceeded_once_in(1e6)) == (1.0, None)


@given(st.lists(st.floats(-5, 60), min_size=1, max_size=99), st.floats(-5, 99), st.floats(0, 9))
def test_what_is_higher_is_rarer(values, value, more):
    sketch = sketch_of(values)
    assert 0 <= sketch.rarity(value + more) <= sketch.rarity(value) <= 1


def test_half_is_forgotten_after_a_half_life():
    sketch = sketch_of([1.0] * 100)
    sketch.add(5.0, T0 + 7 * DAY)
    assert sketch.weight == pytest.approx(51)
    assert sketch.tail(2.0) == pytest.approx(1 / 51)


def test_it_goes_on_for_years():
    sketch = Sketch()
    for day in range(0, 3_650, 5):
        sketch.add(1.0 + day, T0 + day * DAY)
    assert math.isfinite(sketch.total)
    assert sketch.quantile(0.5) == pytest.approx(3_640, rel=0.01)
    assert sketch.weight == pytest.approx(1 / (1 - 2 ** (-5 / 7)), rel=1e-6)


@given(st.lists(numbers, max_size=300))
def test_a_sketch_is_bounded_and_finite(values):
    sketch = sketch_of(values)
    assert len(sketch.bins) <= BINS
    assert math.isfinite(sketch.total)
    assert sketch.total == sum(value < math.inf for value in values)


def test_all_bins_stay_in_their_bound():
    sketch = sketch_of(10 ** (i / 500 - 10) for i in range(12_000))
    assert len(sketch.bins) <= BINS
    assert len(msgspec.msgpack.encode(sketch)) < 26_000


@given(st.lists(numbers, max_size=60), st.integers(0, 60), st.integers(1, 900 * DAY))
def test_a_snapshot_of_a_sketch_goes_on_identically(values, cut, every_ms):
    whole, part = Sketch(), Sketch()
    for i, value in enumerate(values):
        if i == cut:
            part = msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=Sketch)
        for sketch in (whole, part):
            sketch.add(value, T0 + i * every_ms)
    assert whole == part


def test_a_scale_finds_median_and_deviation():
    rng = random.Random(1)
    scale = scale_of(rng.gauss(7, 3) for _ in range(20_000))
    assert scale.median == pytest.approx(7, abs=0.5)
    assert 1.4826 * scale.mad == pytest.approx(3, rel=0.15)
    assert scale.z(7 + 3 * 4) == pytest.approx(4, rel=0.2)


def test_a_scale_knows_a_little_after_thirty_samples():
    rng = random.Random(2)
    found = [scale_of([rng.gauss(7, 3) for _ in range(30)]) for _ in range(200)]
    assert sum(abs(s.median - 7) < 3 for s in found) >= 190
    assert sum(1 / 3 < 1.4826 * s.mad / 3 < 3 for s in found) >= 180


def test_outliers_hardly_move_a_scale():
    rng = random.Random(3)
    values = [1e6 if i % 50 == 0 else rng.gauss(0, 1) for i in range(10_000)]
    scale = scale_of(values)
    assert abs(scale.median) < 0.3
    assert 1.4826 * scale.mad < 1.4


def test_a_scale_closes_half_the_distance_in_a_half_life():
    rng = random.Random(4)
    scale = scale_of(rng.gauss(0, 1) for _ in range(20_000))
    for i in range(720):
        scale.add(rng.gauss(0.5, 1), T0 + (20_000 + i) * 60_000)
    assert scale.median == pytest.approx(0.25, abs=0.12)


@pytest.mark.parametrize("every_ms", [10_000, 300_000])
def test_the_pace_of_samples_does_not_matter(every_ms):
    """After two days at another level, four half-lives."""
    rng = random.Random(5)
    scale = scale_of([rng.gauss(0, 1) for _ in range(9_000)], every_ms)
    for i in range(2 * DAY // every_ms):
        scale.add(rng.gauss(1, 1), T0 + 9_000 * every_ms + i * every_ms)
    assert scale.median == pytest.approx(1, abs=0.25)


def test_a_constant_is_no_scale_and_the_least_is_kept():
    assert scale_of([5.0] * 9).z(50.0) == 0.0
    scale = Scale(3600.0, least_mad=0.5)
    for i in range(99):
        scale.add(5.0, T0 + i * 60_000)
    assert scale.mad == 0.5
    assert scale.z(6.0) == pytest.approx(1 / 0.7413)


@given(st.lists(numbers, max_size=200), st.integers(0, 60_000))
def test_a_scale_stays_finite(values, every_ms):
    scale = scale_of(values, every_ms)
    assert math.isfinite(scale.median) or max(map(abs, values)) > 1e300
    assert scale.mad >= 0


@given(st.lists(numbers, max_size=60), st.integers(0, 60))
def test_a_snapshot_of_a_scale_goes_on_identically(values, cut):
    part = scale_of(values[:cut])
    part = msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=Scale)
    for i, value in enumerate(values[cut:], cut):
        part.add(value, T0 + i * 60_000)
    assert part == scale_of(values)
