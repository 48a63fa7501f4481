"""Open interest explosions: what is an event, and what only looks like one."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock_schemas.events import OpenInterest, Threshold
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.interest import Interest
from threshold_service.domain.adaptive.poll import KEPT_MIN, Polls
from threshold_service.domain.surroundings import Move

MINUTE = 60_000
T0 = 1_790_000_040_000 // MINUTE * MINUTE
VENUES = {"binance": 50_000.0, "bybit": 30_000.0, "okx": 20_000.0}
QUIET = 0.0003
DAY = 1_440


class Around:
    """A coin whose price rises; nothing is known of its trades unless told."""

    def __init__(self, tier="mega", traded_usd=None, per_day=2.0, price=0.01):
        self.threshold = sample(Threshold, coin="BTC", tier=tier)
        self._traded_usd = traded_usd or {}
        self._per_day, self._price = per_day, price

    def budget(self, kind):
        return {"oi_explosion": self._per_day}[kind]

    def traded_usd(self, exchange, over_s):
        per_minute = self._traded_usd.get(exchange)
        return None if per_minute is None else per_minute * over_s / 60

    def price_move(self, over_s):
        return Move(change=self._price, usual=0.001)


def reading(minute, exchange, coins, usd=None, mark=100.0, since_ms=0):
    at_ms = T0 + round(minute * MINUTE)
    return OpenInterest(
        event_id=f"{exchange}:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 200,
        exchange=exchange,
        symbol="BTCUSDT",
        coin="BTC",
        open_interest_coins=coins,
        open_interest_usd=coins * mark if usd is None else usd,
        mark_price=mark,
        index_price=None,
        funding_rate=None,
        funding_interval_h=None,
        next_funding_ms=None,
        comparable_since_ms=since_ms,
    )


def market(minutes, venues=VENUES, seed=1, every=1, start=0):
    """Readings of venues that drift apart, as {minute: {venue: coins}}."""
    rng = random.Random(seed)
    coins, course = dict(venues), {}
    for minute in range(start, start + minutes, every):
        for venue in coins:
            coins[venue] *= 1 + rng.gauss(0, QUIET)
        course[minute] = dict(coins)
    return course


def readings(course):
    return [
        reading(minute, venue, coins)
        for minute, each in course.items()
        for venue, coins in each.items()
    ]


def run(events, around=None, detector=None):
    detector, around = detector or Interest(), around or Around()
    found = (detector.on_reading(event, offset, around) for offset, event in enumerate(events))
    return [each for each in found if each is not None]


def exploding(course, at, over, share, venues=None):
    """Lets the open interest of venues grow by a share from a minute on, over so many."""
    for minute, each in course.items():
        done = min(max(minute - at, 0), over) / over
        for venue in venues or each:
            each[venue] *= 1 + share * done
    return course


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
    assert (first.kind, first.unit, first.budgeted) == ("oi_explosion", "pct", True)


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


# what only looks like one


def test_a_venue_outage_raises_no_alert():
    course = market(800)
    for minute in range(500, 530):
        del course[minute]["binance"]
    assert run(readings(course)) == []


def test_all_venues_but_the_smallest_out_raises_no_alert():
    course = market(800)
    for minute in range(500, 600):
        del course[minute]["binance"], course[minute]["bybit"]
    assert run(readings(course)) == []


@pytest.mark.parametrize("glitch", [1_000.0, 10.0, 2.0, 0.5, 0.001])
@pytest.mark.parametrize("polls", [1, 30])
def test_a_multiplier_glitch_raises_no_alert(glitch, polls):
    """Coins are wrong and dollars are not, or both are."""
    for both in (False, True):
        if both and polls > 1 and 1 / 3 <= glitch <= 3:
            continue  # what two polls agree on is a move
        events = readings(market(800))
        for place, event in enumerate(events):
            minute = (event.ts_event_ms - T0) // MINUTE
            if event.exchange == "bybit" and 500 <= minute < 500 + polls:
                usd = event.open_interest_usd * (glitch if both else 1)
                coins = event.open_interest_coins * glitch
                events[place] = reading(minute, "bybit", coins, usd=usd)
        assert run(events) == []


def test_a_stale_poll_raises_no_alert():
    """A venue says the same for an hour, and then all that it missed at once."""
    course = market(800)
    for minute in range(500, 560):
        course[minute]["binance"] = course[500]["binance"]
    for minute in range(560, 800):
        course[minute]["binance"] *= 1.012
    assert run(readings(course)) == []


def test_the_only_venue_stuck_for_ten_minutes_raises_no_alert():
    course = exploding(market(600, {"okx": 20_000.0}), 500, 11, 0.008)
    for minute in range(501, 511):
        course[minute] = course[500]
    assert run(readings(course)) == []


def test_what_is_counted_each_hour_is_not_taken_for_the_change_of_a_minute():
    course = market(6_000, {"hyperliquid": 20_000.0}, seed=3)
    hourly = {minute: course[minute // 60 * 60] for minute in course}
    assert run(readings(hourly)) == []


@pytest.mark.parametrize("told_late", [0, 1])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_change_of_definition_raises_no_alert(factor, told_late):
    events = readings(market(800))
    for place, event in enumerate(events):
        minute = (event.ts_event_ms - T0) // MINUTE
        if event.exchange == "binance" and minute >= 500:
            since_ms = T0 + 500 * MINUTE if minute >= 500 + told_late else 0
            coins = event.open_interest_coins * factor
            events[place] = reading(minute, "binance", coins, since_ms=since_ms)
    assert run(events) == []


def test_more_than_was_traded_cannot_have_been_opened():
    events = readings(exploding(market(600), 500, 5, 0.2, venues=["binance"]))
    assert run(events, Around(traded_usd={"binance": 1e6}))
    assert run(events, Around(traded_usd={"binance": 1e3})) == []


def test_bad_readings_change_nothing():
    detector, around = Interest(), Around()
    run(readings(market(200)), around, detector)
    before = msgspec.msgpack.encode(detector)
    for coins, usd in ((0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (1.0, float("inf"))):
        assert detector.on_reading(reading(300, "bybit", coins, usd=usd), 9, around) is None
    ahead = msgspec.structs.replace(reading(300, "bybit", 3e4), ts_recv_ms=T0)
    assert detector.on_reading(ahead, 9, around) is None
    assert msgspec.msgpack.encode(detector) == before


def test_repeats_and_late_readings_change_nothing():
    detector, around = Interest(), Around()
    events = readings(market(200))
    run(events, around, detector)
    before = msgspec.msgpack.encode(detector)
    for event in (*events[-3:], reading(150, "okx", 9e4)):
        assert detector.on_reading(event, 9, around) is None
    assert msgspec.msgpack.encode(detector) == before


# the budget


def test_no_more_is_told_than_the_budget_allows():
    """Explosions every two hours for 30 days: two a day are told, and six were saved up."""
    course = market(30 * DAY, every=5)
    for start in range(DAY, 30 * DAY, 120):
        exploding(course, start, 5, 0.02 if (start // 120) % 2 else -0.02)
    found = run(readings(course), Around(per_day=2.0))
    told = [each for each in found if each.budgeted]
    assert len(told) <= 30 * 2 * 1.25
    assert len(told) >= 30
    assert any(each.held_back for each in told)


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
        polls.add(reading(minute, "okx", 100.0 + minute), 0)
    assert all(before < after for before, after in pairwise(polls.minutes))
