"""Cascades as incidents: when they are told of, and that no race between topics changes it."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Liquidation, Threshold
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.cascades import Cascades, Minute
from threshold_service.domain.adaptive.continuation import FITTED, Intensities
from threshold_service.domain.adaptive.incident import HISTORY, SETTLED_MS
from threshold_service.domain.surroundings import Move

T0 = 1_790_000_000_000
BP = 200_000.0  # of the open interest below
ORDER = ["BUILDING", "CONFIRMED", "FADING", "ENDED"]


class Around:
    """A coin of 2 billion USD of open interest, where nothing else moves unless told."""

    def __init__(self, interest_usd=2e9, per_day=1.0, interest=None, price=None):
        self.threshold = sample(
            Threshold, coin="SOL", single_liquidation_usd=1e6, cascade_usd=5e6, tier="large"
        )
        self._interest_usd, self._per_day = interest_usd, per_day
        self._moves = {"interest": interest, "price": price}

    def budget(self, kind):
        return {"cascade": self._per_day}[kind]

    def interest_usd(self):
        return self._interest_usd

    def interest_move(self, over_s):
        return self._moves["interest"]

    def price_move(self, over_s):
        return self._moves["price"]


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


def wave(start, orders, usd, every=1.0, **fields):
    return [liquidation(start + n * every, usd, **fields) for n in range(orders)]


def run(events, around=None, cascades=None):
    """Findings of prints, and of a bar each second that is read in time's order with them."""
    cascades, around = cascades or Cascades(), around or Around()
    found, clock = [], T0
    for offset, event in enumerate(events):
        while clock < event.ts_recv_ms:
            clock += 1000
            found.append(cascades.on_time(clock, clock, around))
        found.append(cascades.on_liquidation(event, offset, around))
    for _ in range(600):
        clock += 1000
        found.append(cascades.on_time(clock, clock, around))
    return [each for each in found if each is not None]


def states(found):
    return [each.incident_state for each in found]


# what is told


def test_a_cascade_builds_up_is_confirmed_fades_and_ends():
    found = run(wave(0, 20, BP / 2))
    assert states(found) == ORDER
    assert len({each.incident_id for each in found}) == 1
    building, confirmed, fading, ended = found
    assert (building.severity, building.budgeted, building.window_s) == ("warning", True, 30)
    assert (confirmed.budgeted, confirmed.window_s, confirmed.position) == (False, 60, "long")
    assert all(each.value >= each.limit > 0 for each in found)
    assert building.limit == pytest.approx(4 * BP)
    assert confirmed.limit == 8 * BP
    assert confirmed.direction == "down"
    assert confirmed.score_limit == 8.0
    assert sum(each.contribution for each in confirmed.factors) == pytest.approx(confirmed.score)
    assert 0 < building.continuation < 1
    assert confirmed.headline.startswith("SOL: a cascade of longs, $1.6")
    assert "8.2 bp of open interest" in confirmed.headline
    assert fading.headline == "SOL: the cascade of longs fades, $2.00M liquidated in 0.3 min"
    assert ended.severity == "info"


def test_too_little_and_too_few_are_no_cascade():
    assert run(wave(0, 40, 0.01 * BP)) == []
    assert run(wave(0, 2, 10 * BP)) == []
    assert run(wave(0, 10, BP, every=60)) == []


def test_pieces_of_one_order_count_as_one():
    pieces = wave(0, 20, BP / 2, every=0.002)
    assert run(pieces) == []
    assert states(run([*pieces, *wave(1, 5, 1_000)]))[:1] == ["CONFIRMED"]


@pytest.mark.parametrize(
    "moved",
    [{"interest": Move(-0.01, 0.003)}, {"price": Move(-0.02, 0.005)}],
)
def test_less_is_enough_where_other_signs_agree(moved):
    events = wave(0, 10, BP / 2)
    assert "CONFIRMED" not in states(run(events))
    confirmed = run(events, Around(**moved))[0]
    assert confirmed.incident_state == "CONFIRMED"
    assert confirmed.severity == "critical"
    assert confirmed.score_limit == 4.0
    assert any("usual deviations" in reason for reason in confirmed.reasons)


def test_a_price_that_goes_the_other_way_does_not_agree():
    events = wave(0, 10, BP / 2)
    assert "CONFIRMED" not in states(run(events, Around(price=Move(0.02, 0.005))))


def test_confirmed_is_told_whatever_the_budget_says():
    found = run(wave(0, 20, BP / 2), Around(per_day=0.0))
    assert states(found) == ["CONFIRMED", "FADING", "ENDED"]
    assert found[0].held_back == 1


def test_building_is_told_no_more_often_than_the_budget_allows():
    cascades, around, days = Cascades(), Around(per_day=1.0), 40
    waves = [
        each for n in range(days * 8) for each in wave(n * 10_800, 10, (0.5 + n % 5 / 20) * BP)
    ]
    found = [cascades.on_liquidation(each, n, around) for n, each in enumerate(waves)]
    told = [each for each in found if each]
    assert set(states(told)) == {"BUILDING"}
    assert days / 2 <= len(told) <= days * 1.25


def test_a_small_coin_needs_the_floor_all_the_same():
    assert run(wave(0, 20, 5_000), Around(interest_usd=1e6)) == []
    found = run(wave(0, 40, 5_000), Around(interest_usd=1e6))
    assert found[0].limit == 100_000.0


def test_without_open_interest_the_original_limit_holds():
    found = run(wave(0, 30, 250_000), Around(interest_usd=None))
    confirmed = next(each for each in found if each.incident_state == "CONFIRMED")
    assert confirmed.limit == 5e6
    assert "open interest is not known" in confirmed.headline
    assert found[0].limit == pytest.approx(2.5e6)


def test_what_is_sampled_makes_the_total_a_floor():
    events = sorted(
        wave(0, 20, BP / 2) + wave(0.5, 20, BP / 4, exchange="binance", coverage="sampled"),
        key=lambda each: each.ts_event_ms,
    )
    confirmed = run(events)[1]
    assert confirmed.coverage == "sampled"
    assert "at least $" in confirmed.headline
    assert confirmed.exchanges == ("binance", "bybit")


def test_sides_are_incidents_of_their_own():
    events = sorted(
        wave(0, 20, BP / 2) + wave(0.5, 20, BP / 2, position="short"),
        key=lambda each: each.ts_event_ms,
    )
    found = run(events)
    assert {each.position for each in found} == {"long", "short"}
    assert len({each.incident_id for each in found}) == 2


def test_a_revival_after_the_end_is_a_new_incident():
    found = run(wave(0, 20, BP / 2) + wave(600, 20, BP / 2))
    assert states(found)[:4] == ORDER
    assert states(found)[4:] == ["CONFIRMED", "FADING", "ENDED"]
    assert len({each.incident_id for each in found}) == 2


def test_another_wave_some_minutes_later_is_a_new_incident():
    found = run(wave(0, 20, BP / 2) + wave(214, 20, BP / 2))
    assert states(found) == [*ORDER[:3], "CONFIRMED", "ENDED", "FADING", "ENDED"]
    assert [each.incident_id for each in found].count(found[0].incident_id) == 4
    assert found[3].since_offset == 20
    assert "20 liquidations, $2.00M in all" in found[-1].reasons[0]


@pytest.mark.parametrize(("silence_s", "incidents"), [(50, 1), (65, 2)])
def test_a_minute_without_a_print_parts_one_incident_from_the_next(silence_s, incidents):
    found = run(wave(0, 20, BP / 2) + wave(19 + silence_s, 20, BP / 2))
    assert len({each.incident_id for each in found}) == incidents


def test_what_goes_on_is_one_incident_however_it_rises_and_falls():
    events = []
    for n in range(4):
        events += wave(300 * n, 60, BP * (n + 1))
        events += wave(300 * n + 60, 120, BP / 4 * (n + 1), every=2)
    found = run(events)
    assert states(found) == ORDER


def test_two_orders_are_a_cascade_only_if_they_are_very_large():
    assert run(wave(0, 2, 12 * BP, every=10)) == []
    assert states(run(wave(0, 2, 20 * BP, every=10))) == ["CONFIRMED", "FADING", "ENDED"]


def test_a_lesser_wave_after_the_fading_is_the_same_incident():
    assert states(run(wave(0, 60, BP) + wave(150, 12, BP / 2))) == ORDER


# minute totals


def minute(number, usd, prints, position="long"):
    return Minute(
        event_id=f"{number}:{position}",
        exchange="binance",
        position=position,
        end_ms=T0 + number * 60_000,
        notional_usd=usd,
        prints=prints,
        coverage="sampled",
    )


def test_minute_totals_are_told_of_likewise():
    cascades, around = Cascades(), Around()
    totals = [minute(1, BP / 10, 2), minute(2, 4 * BP, 10), minute(3, 40 * BP, 60)]
    found = [cascades.on_minute(each, n, around) for n, each in enumerate(totals)]
    assert found[:2] == [None, None]
    assert (found[2].incident_state, found[2].since_offset) == ("CONFIRMED", 1)
    assert found[2].exchanges == ("binance",)
    assert cascades.long.course.total_usd == pytest.approx(44 * BP)
    assert cascades.long.course.prints == pytest.approx(70)
    assert cascades.on_minute(totals[2], 3, around) is None
    later = [cascades.on_time(T0 + s * 1000, s, around) for s in range(180, 1_200)]
    assert [each.incident_state for each in later if each] == ["FADING", "ENDED"]


# bad input


def test_repeats_and_bad_sizes_change_nothing():
    cascades, around = Cascades(), Around()
    events = wave(0, 10, BP / 2)
    run(events, around, cascades)
    before = msgspec.msgpack.encode(cascades)
    bad = [liquidation(11, usd) for usd in (0.0, -1.0, float("nan"), float("inf"))]
    ahead = [liquidation(99, BP, delay_ms=-6_000)]
    for event in (*events, *bad, *ahead):
        assert cascades.on_liquidation(event, 99, around) is None
    assert msgspec.msgpack.encode(cascades) == before


def test_late_prints_count_by_their_age_and_very_late_ones_in_totals_only():
    late = [liquidation(-n / 10, BP, delay_ms=70_000) for n in range(20)]
    assert run([liquidation(30, 1_000), *late])[0].incident_state == "BUILDING"
    very_late = [liquidation(-n / 10, BP, delay_ms=90_000) for n in range(20)]
    cascades = Cascades()
    assert run([liquidation(65, 1_000), *very_late], cascades=cascades) == []
    assert cascades.long.course.total_usd == pytest.approx(20 * BP + 1_000)


# properties

PRINTS = st.lists(
    st.tuples(
        st.floats(0.01, 20) | st.sampled_from([0.02, 45.0, 120.0]),
        st.floats(0.02, 6),
        st.sampled_from(["long", "long", "short"]),
        st.sampled_from(["bybit", "okx"]),
        st.integers(0, 3_000),
    ),
    min_size=30,
    max_size=120,
)


def course(steps):
    """Prints in the order of their receipt."""
    events, second = [], 0.0
    for number, (gap, size, position, exchange, delay_ms) in enumerate(steps):
        second += gap / 4
        event = liquidation(second, size * BP, position, exchange, delay_ms=delay_ms)
        events.append(msgspec.structs.replace(event, event_id=str(number)))
    return sorted(events, key=lambda each: each.ts_recv_ms)


@given(PRINTS)
def test_states_only_go_forward(steps):
    told = {}
    for finding in run(course(steps)):
        told.setdefault(finding.incident_id, []).append(ORDER.index(finding.incident_state))
    assert all(before < after for each in told.values() for before, after in pairwise(each))
    assert all(each[-1] == ORDER.index("ENDED") for each in told.values())


@given(PRINTS, st.integers(0, 2**32))
def test_a_race_between_bars_and_prints_changes_nothing(steps, seed):
    """Either topic may be read up to 30 s ahead of the other."""
    rng, prints = Random(seed), course(steps)
    end = prints[-1].ts_recv_ms + 300_000
    bars = list(range(T0, end, 1_000))

    def told(lead_ms):
        cascades, around = Cascades(), Around()
        of_prints, of_bars, read = [], [], 0
        for bar in bars:
            until_ms = bar + lead_ms()
            while read < len(prints) and prints[read].ts_recv_ms < until_ms:
                of_prints.append(cascades.on_liquidation(prints[read], read, around))
                read += 1
            of_bars.append(cascades.on_time(bar, bar, around))
        return of_prints, of_bars

    in_order = told(lambda: 0)
    assert told(lambda: rng.randint(-SETTLED_MS + 1_000, 60_000)) == in_order


@given(PRINTS, st.integers(0, 119))
def test_a_snapshot_goes_on_identically(steps, cut):
    events, around = course(steps), Around()
    whole, found = Cascades(), Cascades()
    before = [run_one(found, n, each, around) for n, each in enumerate(events[:cut])]
    found = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Cascades)
    after = [run_one(found, n, each, around) for n, each in enumerate(events[cut:], cut)]
    assert before + after == [run_one(whole, n, each, around) for n, each in enumerate(events)]
    assert msgspec.msgpack.encode(found) == msgspec.msgpack.encode(whole)


def run_one(cascades, offset, event, around):
    return (
        cascades.on_time(event.ts_recv_ms, offset, around),
        cascades.on_liquidation(event, offset, around),
    )


def test_state_is_bounded():
    cascades = Cascades()
    for number, event in enumerate(wave(0, 5_000, BP / 20, every=1.5)):
        cascades.on_liquidation(event, number, Around())
    assert len(cascades.long.versions.kept) <= HISTORY
    assert len(msgspec.msgpack.encode(cascades)) < 150_000


# how likely it goes on


def continuation(orders, needed_usd, usd=1e4, every=1.0):
    intensities = Intensities()
    for number in range(orders):
        intensities.add(T0 + round(number * every * 1000), usd, 1.0)
    return intensities.probability(needed_usd, usd)


def test_more_and_faster_prints_make_more_to_come_likelier():
    assert 0 < continuation(5, 1e6) < continuation(50, 1e6) < continuation(200, 1e6) < 1
    assert continuation(50, 1e6, every=30) < continuation(50, 1e6, every=0.1)
    assert continuation(50, 1e7) < continuation(50, 1e5)
    assert Intensities().probability(1e6, 1e4) == 0.0


def test_branching_is_capped_and_the_odds_can_be_calibrated():
    assert sum(FITTED.weights) < 0.95
    wild = msgspec.structs.replace(FITTED, weights=(0.9, 0.9, 0.9, 0.9))
    intensities = Intensities()
    intensities.add(T0, 1e4, 1.0)
    assert 0 < intensities.probability(1e6, 1e4, wild) < 1
    raw = intensities.probability(1e6, 1e4)
    halved = msgspec.structs.replace(FITTED, shift=-1.0)
    assert intensities.probability(1e6, 1e4, halved) < raw
