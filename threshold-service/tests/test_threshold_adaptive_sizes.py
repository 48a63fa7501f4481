"""Large liquidations: what is large for a coin's side, and how often that is told."""

from math import exp, log
from random import Random

import msgspec
import pytest
from fake_surroundings import FakeSurroundings
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Liquidation
from threshold_service.domain import wording
from threshold_service.domain.adaptive.rarity import LEARNED, Rarity
from threshold_service.domain.adaptive.sizes import Sizes

T0 = 1_790_000_000_000
DAY_S = 86_400
SINGLE_USD = 200_000.0


class Around(FakeSurroundings):
    """A coin whose liquidations are large from 200,000 USD on, by the original rule."""

    def __init__(self, per_day=3.0, single_usd=SINGLE_USD, **known):
        limits = {"coin": "SOL", "single_liquidation_usd": single_usd}
        super().__init__({"liquidation": per_day}, **limits, **known)


def liquidation(second, usd, position="long", exchange="bybit", coverage="full", delay_ms=100):
    at_ms = T0 + round(second * 1000)
    return Liquidation(
        event_id=f"{exchange}:{second}:{usd}:{position}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + delay_ms,
        exchange=exchange,
        symbol="SOLUSDT",
        coin="SOL",
        position=position,
        price=150.0,
        size_coins=usd / 150,
        notional_usd=usd,
        coverage=coverage,
    )


def usual(days, seed=1, every_s=60.0, median=2_000.0, start_s=0.0):
    """A market's liquidations: log-normal sizes of both sides, at random times."""
    rng, second, events = Random(seed), start_s, []
    while second < start_s + days * DAY_S:
        second += rng.expovariate(1 / every_s)
        position = rng.choice(["long", "short"])
        events.append(liquidation(second, rng.lognormvariate(log(median), 1.5), position))
    return events


def run(events, around=None, sizes=None):
    sizes, around = sizes or Sizes(), around or Around()
    found = (sizes.on_liquidation(event, offset, around) for offset, event in enumerate(events))
    return [each for each in found if each is not None]


@pytest.fixture(scope="module")
def learned():
    """Sizes that have seen three days, packed."""
    sizes = Sizes()
    run(usual(3), sizes=sizes)
    return msgspec.msgpack.encode(sizes)


def unpack(packed):
    return msgspec.msgpack.decode(packed, type=Sizes)


LATER = 4 * DAY_S


# what is large


def test_while_learning_the_original_limit_holds():
    assert run([liquidation(0, SINGLE_USD * 0.99)]) == []
    (finding,) = run([liquidation(0, SINGLE_USD * 1.01)])
    assert (finding.limit, finding.baseline, finding.severity) == (SINGLE_USD, None, "info")
    assert finding.reasons == ("1.0 x the limit; the usual sizes are still being learned",)


def test_later_it_is_what_is_large_for_the_side(learned):
    assert run([liquidation(LATER, 30_000)], sizes=unpack(learned)) == []
    (finding,) = run([liquidation(LATER, 190_000)], sizes=unpack(learned))
    limit = wording.dollars(finding.limit)
    assert finding.headline == f"SOL: $190k long liquidated on bybit at 150 (limit {limit})"
    assert finding.reasons[0].startswith("9")  # times a usual one, of about 2,000
    assert finding.limit < SINGLE_USD
    assert finding.baseline == pytest.approx(2_000, rel=0.15)
    assert finding.score == pytest.approx(log(190_000 / 2_000) / 1.5, rel=0.1)
    assert finding.score > finding.score_limit
    assert (finding.position, finding.direction, finding.window_s) == ("long", "down", 0)
    assert (finding.kind, finding.unit) == ("liquidation", "usd")


def test_sides_have_sizes_of_their_own():
    events = []
    for number in range(400):
        events.append(liquidation(number * 60, 1_000 * exp(number % 7 / 3), "long"))
        events.append(liquidation(number * 60 + 30, 100_000 * exp(number % 7 / 3), "short"))
    around, sizes = Around(single_usd=1e6), Sizes()
    run(events, around, sizes)
    large = 250_000.0
    assert run([liquidation(50_000, large, "short")], around, sizes) == []
    assert run([liquidation(50_002, large, "long")], around, sizes)


def test_a_floor_keeps_quiet_what_is_small_all_the_same():
    events = [liquidation(n * 60, 10.0 * (1 + n % 3)) for n in range(500)]
    sizes = Sizes()
    run(events, sizes=sizes)
    assert run([liquidation(LATER, 39_000)], sizes=sizes) == []
    (finding,) = run([liquidation(LATER + 10, 41_000)], sizes=sizes)
    assert finding.limit == 0.2 * SINGLE_USD


# clusters


def test_prints_within_a_second_are_one_and_told_once(learned):
    events = [liquidation(LATER + n / 10, 50_000, exchange=f"venue{n % 2}") for n in range(10)]
    (finding,) = run(events, sizes=unpack(learned))
    assert (finding.window_s, finding.exchanges) == (1, ("venue0", "venue1"))
    assert "liquidated in " in finding.headline
    assert finding.since_offset == 0
    assert sum(each.value for each in finding.factors) == finding.value


def test_prints_further_apart_are_not_one(learned):
    events = [liquidation(LATER + n * 1.01, 20_000) for n in range(10)]
    assert run(events, sizes=unpack(learned)) == []


def test_of_a_sampled_feed_only_the_largest_counts(learned):
    def told(coverage):
        events = [liquidation(LATER + n / 10, 30_000, coverage=coverage) for n in range(9)]
        return run(events, sizes=unpack(learned))

    assert told("sampled") == []
    assert told("full")


def test_a_print_that_comes_late_is_alone_and_still_news(learned):
    sizes = unpack(learned)
    assert run([liquidation(LATER, 100), liquidation(LATER - 5, 180_000)], sizes=sizes)
    assert sizes.long.cluster.usd == 100


def test_a_print_that_comes_very_late_is_no_news_but_counts(learned):
    sizes = unpack(learned)
    before = sizes.long.rarity.sizes
    late = liquidation(LATER - 100, 500_000, delay_ms=100_000)
    assert run([liquidation(LATER, 100), late], sizes=sizes) == []
    assert sizes.long.rarity.sizes == before + 2


# severity and budget


def test_rare_sizes_are_critical_and_told_whatever_the_budget_says(learned):
    around, sizes = Around(per_day=0.0), unpack(learned)
    run([liquidation(LATER, 100)], around, sizes)
    assert run([liquidation(LATER + 10, 190_000)], around, sizes) == []
    (finding,) = run([liquidation(LATER + 20, 5e6)], around, sizes)
    assert finding.severity == "critical"
    assert "expected once in" in finding.reasons[0]
    assert run([liquidation(LATER + 30, 6e6)], around, sizes) == []
    assert run([liquidation(LATER + 40, 11e6)], around, sizes)


def test_no_more_is_told_than_the_budget_allows():
    days = 20
    found = run(usual(days, every_s=40))
    ordinary = sum(each.severity != "critical" for each in found)
    assert days * 3 * 0.5 <= ordinary <= days * 3 * 1.25
    assert len(found) - ordinary <= 4
    assert all(each.value >= each.limit for each in found)


def test_a_burst_is_told_of_a_few_times_not_a_hundred(learned):
    burst = usual(0.02, every_s=0.5, median=20_000, start_s=LATER)
    assert 1 <= len(run(burst, sizes=unpack(learned))) <= 8


def test_how_rare_a_size_is_agrees_with_how_often_it_comes():
    rng, rarity = Random(3), Rarity()
    for number in range(40_000):
        rarity.add(rng.lognormvariate(8, 1.5), T0 + number * 60_000)
    a_week = rarity.once_in(7.0)
    share = sum(rng.lognormvariate(8, 1.5) >= a_week for _ in range(400_000)) / 400_000
    assert 7 / 3 <= 1 / (share * 1_440) <= 7 * 3
    assert rarity.days_between(a_week) == pytest.approx(7.0)
    assert rarity.once_in(30.0) > a_week
    assert rarity.days_between(1_000) == 0.0


def test_what_it_may_not_tell_is_not_spent(learned):
    sizes, off = unpack(learned), Around(dynamic=False)
    tokens = sizes.budget.bucket.tokens
    assert run([liquidation(LATER + n * 1_800, 5e6) for n in range(9)], off, sizes) == []
    assert sizes.budget.bucket.tokens == tokens
    last = LATER + 8 * 1_800
    (finding,) = run([liquidation(last + 0.5, 5e6)], sizes=sizes)
    assert finding.severity == "critical"
    assert finding.value == 1e7, "the cluster that began in silence"


# state


@given(
    st.lists(
        st.tuples(
            st.floats(-3, 30),
            st.floats(100, 1e6),
            st.sampled_from(["long", "short"]),
            st.sampled_from(["full", "sampled"]),
        ),
        min_size=1,
        max_size=150,
    ),
    st.integers(0, 150),
)
def test_a_snapshot_goes_on_identically(learned, steps, cut):
    second, events = float(LATER), []
    for number, (gap, usd, position, coverage) in enumerate(steps):
        second += gap
        event = liquidation(second, usd, position, exchange=coverage, coverage=coverage)
        events.append(msgspec.structs.replace(event, event_id=str(number)))
    whole, restored, around = unpack(learned), unpack(learned), Around()
    expected = [whole.on_liquidation(each, n, around) for n, each in enumerate(events)]
    found = [restored.on_liquidation(each, n, around) for n, each in enumerate(events[:cut])]
    restored = unpack(msgspec.msgpack.encode(restored))
    found += [restored.on_liquidation(each, n, around) for n, each in enumerate(events[cut:], cut)]
    assert found == expected
    assert msgspec.msgpack.encode(restored) == msgspec.msgpack.encode(whole)


def test_state_is_bounded():
    sizes = Sizes()
    run(usual(10, every_s=20), sizes=sizes)
    assert sizes.long.rarity.sizes > LEARNED
    assert len(msgspec.msgpack.encode(sizes)) < 40_000
