"""Open interest: what only looks like an explosion raises no alert."""

import msgspec
import pytest
from making_readings import MINUTE, T0, Around, exploding, market, reading, readings, run

from threshold_service.domain.adaptive.interest import Interest


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


def test_what_two_venues_tell_alike_is_told_though_too_few_trades_are_known():
    both = ["binance", "bybit"]
    events = readings(exploding(market(600), 500, 5, 0.2, venues=both))
    assert run(events, Around(traded_usd=dict.fromkeys(both, 1e3)))


def test_a_venue_is_believed_whose_trades_alone_were_not_heard():
    events = readings(exploding(market(600), 500, 5, 0.2, venues=["binance", "bybit"]))
    (found,) = run(events, Around(traded_usd={"binance": 1e3}))
    assert not found.name.endswith("single-venue")


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
