"""Cascades as incidents: when they are told of, and what is no cascade."""

import pytest
from making_prints import BP, ORDER, T0, Around, liquidation, run, states, wave

from threshold_service.domain.adaptive.budget import Budget
from threshold_service.domain.adaptive.cascades import Cascades, Minute
from threshold_service.domain.surroundings import Move

# what is told


def test_a_cascade_builds_up_is_confirmed_fades_and_ends():
    found = run(wave(0, 20, BP / 2))
    assert states(found) == ORDER
    assert len({each.incident_id for each in found}) == 1
    building, confirmed, fading, ended = found
    assert (building.severity, building.window_s) == ("warning", 30)
    assert (confirmed.window_s, confirmed.position) == (60, "long")
    assert all(each.value >= each.limit > 0 for each in found)
    assert building.limit == pytest.approx(4 * BP)
    assert confirmed.limit == 8 * BP
    assert confirmed.direction == "down"
    assert confirmed.score_limit == 8.0
    assert sum(each.contribution for each in confirmed.factors) == pytest.approx(confirmed.score)
    assert 0 < building.continuation < 1
    assert confirmed.headline.startswith("SOL: a cascade of longs, $1.6")
    assert "8.2 bp of open interest" in confirmed.headline
    assert fading.headline == "SOL: the cascade of longs fades, $2.00M liquidated in 19 s"
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


def test_only_what_agrees_is_a_reason():
    moved = {"interest": Move(-0.01, 0.003), "price": Move(0.02, 0.005)}
    (told,) = [f for f in run(wave(0, 40, BP), Around(**moved)) if f.incident_state == "CONFIRMED"]
    said = "\n".join(told.reasons)
    assert "open interest -1.00 % in 5 min" in said
    assert "price" not in said


def test_a_price_that_goes_the_other_way_does_not_agree():
    events = wave(0, 10, BP / 2)
    assert "CONFIRMED" not in states(run(events, Around(price=Move(0.02, 0.005))))


def test_confirmed_is_told_whatever_the_budget_says():
    found = run(wave(0, 20, BP / 2), Around(per_day=0.0))
    assert states(found) == ["CONFIRMED", "FADING", "ENDED"]
    assert found[0].held_back == 0, "nothing was held back that is not told now"


def test_building_is_told_no_more_often_than_the_budget_allows():
    cascades, around, days = Cascades(), Around(per_day=1.0), 40
    waves = [
        each for n in range(days * 8) for each in wave(n * 10_800, 10, (0.5 + n % 5 / 20) * BP)
    ]
    found = [cascades.on_liquidation(each, n, around) for n, each in enumerate(waves)]
    told = [each for each in found if each]
    assert set(states(told)) == {"BUILDING"}
    assert days / 2 <= len(told) <= days * 1.25


def test_what_it_may_not_tell_is_not_spent():
    """Prints count towards a state; it is entered when it may be told."""
    off = Around(dynamic=False)
    cascades, events = Cascades(), wave(0, 40, BP / 2)
    assert run(events[:30], off, cascades, after_s=0) == []
    assert cascades.budget.bucket == Budget().bucket
    found = run(events[30:], cascades=cascades)
    assert states(found) == ["CONFIRMED", "FADING", "ENDED"]
    assert "40 liquidations" in found[-1].reasons[0]


def test_the_end_of_what_was_told_is_told_whatever_may_be_said_now():
    off = Around(dynamic=False)
    cascades, events = Cascades(), wave(0, 20, BP / 2)
    assert states(run(events, Around(), cascades, after_s=0)) == ["BUILDING", "CONFIRMED"]
    assert states(run(wave(20, 9, BP / 2), off, cascades)) == ["FADING", "ENDED"]


def test_a_small_coin_needs_the_floor_all_the_same():
    assert run(wave(0, 20, 5_000), Around(interest_usd=1e6)) == []
    found = run(wave(0, 40, 5_000), Around(interest_usd=1e6))
    assert found[0].limit == 100_000.0
    smaller = Around(interest_usd=1e6, single_usd=5_000.0)
    assert run(wave(0, 20, 1_000), smaller) == []
    assert run(wave(0, 40, 1_000), smaller)[0].limit == 25_000.0


def test_a_limit_is_told_as_the_least_where_it_is_more_than_the_basis_points():
    small = run(wave(0, 40, 5_000), Around(interest_usd=1e6))[0]
    assert "limit $100k, the least for this coin, more than 8.0 bp" in "\n".join(small.reasons)
    assert "the least" not in "\n".join(run(wave(0, 40, BP))[0].reasons)


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


def test_an_incident_after_a_fading_is_told_by_its_own_prints():
    """What is left of the wave before is no part of its sum."""
    found = run(wave(0, 20, 8 * BP) + wave(85, 20, 2 * BP))
    last = next(each for each in reversed(found) if each.incident_state == "CONFIRMED")
    assert last.incident_id != found[0].incident_id
    assert (
        last.limit
        <= last.value
        <= sum(each.value for each in last.factors if each.name.startswith("liquidated_usd"))
    )


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
    later = [cascades.on_time(T0 + s * 1000, s, around) for s in range(180, 1_200)]
    assert [each.incident_state for each in later if each] == ["FADING", "ENDED"]


# bad input


def test_late_prints_count_by_their_age_and_very_late_ones_in_totals_only():
    late = [liquidation(-n / 10, BP, delay_ms=70_000) for n in range(20)]
    assert run([liquidation(30, 1_000), *late])[0].incident_state == "BUILDING"
    very_late = [liquidation(-n / 10, BP, delay_ms=90_000) for n in range(20)]
    cascades = Cascades()
    assert run([liquidation(65, 1_000), *very_late], cascades=cascades) == []
    assert cascades.long.course.total_usd == pytest.approx(20 * BP + 1_000)
