"""Open interest explosions: which are told, and that a snapshot changes nothing."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_readings import (
    DAY,
    MINUTE,
    T0,
    VENUES,
    Around,
    exploding,
    market,
    reading,
    readings,
    run,
)

from threshold_service.domain.adaptive.horizons import Change, Usual
from threshold_service.domain.adaptive.interest import Interest
from threshold_service.domain.adaptive.polls import KEPT_MIN, Polls

# what is an event


@pytest.mark.parametrize("over", [5, 10, 15])
@pytest.mark.parametrize("share", [0.03, 0.06, 0.12, -0.03, -0.1])
def test_planted_explosions_are_told_of_while_they_last(share, over):
    events = readings(exploding(market(600), 500, over, share))
    detector, around = Interest(), Around()
    told = ((event, detector.on_reading(event, at, around)) for at, event in enumerate(events))
    event, first = next((event, finding) for event, finding in told if finding is not None)
    assert T0 + 500 * MINUTE < event.ts_event_ms <= T0 + (500 + over) * MINUTE
    assert first.name == ("rose" if share > 0 else "fell")
    assert first.value >= first.limit
    assert first.score > first.score_limit
    assert (first.kind, first.unit) == ("oi_explosion", "pct")


def test_a_finding_says_what_moved_and_who():
    found = run(readings(exploding(market(600), 500, 5, 0.06)), Around(price=-0.01))
    finding = found[0]
    assert finding.headline.startswith("BTC: open interest rose ")
    assert finding.reasons[0] == "price -1.00 % meanwhile: new shorts lead"
    assert (finding.position, finding.direction) == ("short", "down")
    assert finding.exchanges == ("binance", "bybit", "okx")
    assert sum(each.contribution for each in finding.factors) == pytest.approx(finding.score)


def test_one_venue_alone_is_labelled():
    course = exploding(market(600), 500, 5, 0.2, venues=["binance"])
    finding = run(readings(course))[0]
    assert finding.name == "rose:single-venue"
    assert "on binance alone" in finding.headline
    assert "single-venue: no other venue agrees" in finding.reasons


def test_small_coins_must_move_twice_as_much():
    events = readings(exploding(market(600), 500, 5, 0.01))
    assert run(events, Around(tier="mega"))
    assert not run(events, Around(tier="small"))
    assert run(events, Around(tier=None))


def test_readings_every_five_minutes_will_do():
    course = exploding(market(2_000, {"binance": 5e4}, every=5), 1_500, 5, 0.03)
    found = run(readings(course))
    assert found[0].window_s == 300
    assert found[0].name == "rose:single-venue"


@pytest.mark.parametrize("share", [0.0, 0.06])
def test_a_venue_that_says_the_same_for_five_minutes_is_read_every_five(share):
    course = exploding(market(800), 600, 5, share)
    for minute, each in course.items():
        each["binance"] = course[minute - minute % 5]["binance"]
    found = run(readings(course))
    assert bool(found) == bool(share)


def test_a_slow_build_up_is_told_of():
    found = run(readings(exploding(market(1_000), 500, 120, 0.1)))
    assert found
    assert found[0].window_s >= 900


# one move is told once


@pytest.mark.parametrize("over", [5, 10, 15])
@pytest.mark.parametrize("share", [0.03, 0.06, 0.12, -0.1])
def test_an_explosion_is_told_once_however_large_it_gets(share, over):
    assert len(run(readings(exploding(market(700), 500, over, share)))) == 1


@pytest.mark.parametrize("stuck", [["binance"], list(VENUES)])
def test_a_poll_that_is_missing_makes_no_move_faster(stuck):
    course = exploding(market(700), 500, 15, 0.3, venues=["binance"])
    for venue in stuck:
        course[505][venue] = course[504][venue]
    assert len(run(readings(course))) == 1


def test_a_reversal_is_told_as_well():
    course = exploding(exploding(market(600), 500, 5, 0.15), 515, 5, -0.15)
    assert [each.name for each in run(readings(course))] == ["rose", "fell"]


def test_a_larger_one_that_follows_at_once_is_told_as_well():
    course = exploding(exploding(market(600), 500, 1, 0.005), 504, 1, 0.05)
    assert [each.severity for each in run(readings(course))] == ["info", "critical"]


def test_what_is_over_when_it_may_be_told_is_not():
    events = readings(exploding(market(600), 500, 10, 0.06))
    over = T0 + 530 * MINUTE
    detector, around = Interest(), Around()
    around.dynamic = False
    run([each for each in events if each.ts_event_ms < over], around, detector)
    around.dynamic = True
    assert run([each for each in events if each.ts_event_ms >= over], around, detector) == []


# what is out of the usual


def test_what_a_single_order_may_have_done_must_be_twice_as_far_out():
    noisy = {"noise": 0.001, "seed": 3}
    assert not run(readings(exploding(market(600, **noisy), 500, 1, 0.004)))
    assert run(readings(exploding(market(600, **noisy), 500, 5, 0.012)))


def test_what_has_been_usual_for_two_hours_is_no_event():
    course, restless = market(2 * DAY), 2 * DAY + 120
    course |= market(6 * 60, course[2 * DAY - 1], start=2 * DAY, noise=0.002)
    detector = Interest()
    run(readings({at: each for at, each in course.items() if at < restless}), None, detector)
    rest = readings({at: each for at, each in course.items() if at >= restless})
    assert run(rest, None, detector) == []


def test_over_an_hour_it_takes_a_day_to_know_what_is_usual():
    found = run(readings(market(DAY, noise=0.002)))
    assert found == []


def test_a_minute_that_is_missing_makes_nothing_learned_sooner():
    usual = Usual()
    for minute in range(400):
        over = (5, 15, 60) if minute == 399 else (1, 5, 15, 60)
        changes = [Change(minutes=each, then=1.0, now=1 + 1e-5 * each, parts=()) for each in over]
        usual.learn(changes, minute)
    assert usual.learned
    assert usual.z(Change(minutes=60, then=1.0, now=1.1, parts=()), 399) == 0


def test_less_than_usual_is_no_event_in_a_market_that_grows():
    def grown(share):
        return Change(minutes=1, then=1.0, now=1 + share, parts=())

    usual = Usual()
    for minute in range(300):
        usual.learn([grown(0.002 + minute % 3 * 1e-4)], minute)
    assert usual.z(grown(0.001), 300) == 0.0
    assert usual.z(grown(0.003), 300) > 3
    assert usual.z(grown(-0.001), 300) < -3


def test_a_quiet_market_need_not_spend_its_budget_and_is_heard_of_every_two_days():
    """Changes above the floor go on all the time."""
    detector, around, told = Interest(), Around(per_day=2.0), [T0]
    for offset, event in enumerate(readings(market(5 * DAY, noise=0.002))):
        if detector.on_reading(event, offset, around) is not None:
            told.append(event.ts_event_ms)
    gaps_h = [(after - before) / MINUTE / 60 for before, after in pairwise(told)]
    assert gaps_h
    assert all(36 < each < 48 for each in gaps_h)


# the budget


def test_no_more_is_told_than_the_budget_allows():
    """Explosions every two hours for 30 days: two a day are told, and six were saved up."""
    course = market(30 * DAY, every=5)
    for start in range(DAY, 30 * DAY, 120):
        exploding(course, start, 5, 0.02 if (start // 120) % 2 else -0.02)
    found = run(readings(course), Around(per_day=2.0))
    assert 30 <= len(found) <= 30 * 2 * 1.25
    assert any(each.held_back for each in found)


@pytest.mark.parametrize("why", ["shadow", "off"])
def test_what_it_may_not_tell_is_not_spent(why):
    """A severe move that goes on when it may speak is told."""
    at = 116 if why == "shadow" else 500
    events = readings(exploding(market(at + 20), at, 15, 0.4))
    silent = [each for each in events if each.ts_event_ms < T0 + (at + 4) * MINUTE]
    detector, around = Interest(), Around()
    around.dynamic = why == "shadow"
    assert run(silent, around, detector) == []
    assert detector.learned == (why == "off")
    assert detector.budget.bucket == Interest().budget.bucket
    assert detector.rise.told_ms == 0
    around.dynamic = True
    assert run(events[len(silent) :], around, detector)[0].severity == "critical"


# state


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(sorted(VENUES)),
            st.floats(0.2, 5.0) | st.just(1.0) | st.just(2.0),
        ),
        min_size=20,
        max_size=150,
    ),
    st.integers(0, 149),
)
def test_a_snapshot_goes_on_identically(steps, cut):
    around, minute, events = Around(), 0, []
    for gap, venue, factor in steps:
        minute += gap
        events.append(reading(minute, venue, VENUES[venue] * factor))
    whole, restored = Interest(), Interest()
    for detector in (whole, restored):
        run(readings(market(150, start=-150)), around, detector)
    expected = run(events, around, whole)
    found = run(events[:cut], around, restored)
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(restored), type=Interest)
    found += [
        each
        for offset, event in enumerate(events[cut:], cut)
        if (each := restored.on_reading(event, offset, around)) is not None
    ]
    assert found == expected
    assert msgspec.msgpack.encode(restored) == msgspec.msgpack.encode(whole)


def test_state_stays_small():
    detector = Interest()
    sizes = []
    for day in range(3):
        run(readings(market(DAY, start=day * DAY)), detector=detector)
        sizes.append(len(msgspec.msgpack.encode(detector)))
    assert all(len(each.minutes) <= KEPT_MIN + 1 for each in detector.polls.values())
    assert max(sizes) < 8_000


def test_minutes_of_a_venue_are_kept_in_order():
    polls = Polls(exchange="okx")
    for minute in (0, 1, 3, 2, 8, 8, 90):
        polls.add(reading(minute, "okx", 100.0 + minute), ())
    assert all(before < after for before, after in pairwise(polls.minutes))
