"""The requirements' rule of open interest: when it speaks, and what it says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_rules import MINUTE, OI_MINIMUM_USD, T0, ByRules, feed, place, reading, signals, stats


def steady(minutes, coins=1e6, exchange="binance"):
    return [reading(minute, coins, exchange) for minute in range(minutes)]


def test_open_interest_explodes_once():
    events = [*steady(16), reading(16, 1.2e6, mark=156.0), reading(17, 1.25e6, mark=157.0)]
    (signal,) = signals(*events)
    assert (signal.kind, signal.unit, signal.limit) == ("oi_explosion", "pct", 18.0)
    assert signal.value == pytest.approx(20.0)
    assert signal.headline == "SOL: open interest rose 20.0 % in 15 min to $187M (limit 18.0 %)"
    assert signal.reasons == (
        "price +4.00 % meanwhile: new longs lead",
        "1e+06 to 1.2e+06 SOL on binance",
        "limit 18.0 % = 15 % x large cap x volatility 1.00, from $2.50M of open interest on",
        "us session, limits of 14:59 UTC, confidence 100%",
    )
    assert (signal.position, signal.direction, signal.price) == ("long", "up", 156.0)


@pytest.mark.parametrize(
    ("coins", "mark", "meaning", "position", "direction"),
    [
        (1.3e6, 140.0, "new shorts lead", "short", "down"),
        (0.7e6, 160.0, "shorts are being closed", "short", "up"),
        (0.7e6, 140.0, "longs are being closed", "long", "down"),
    ],
)
def test_the_quadrant_is_named(coins, mark, meaning, position, direction):
    (signal,) = signals(*steady(16), reading(16, coins, mark=mark))
    assert signal.reasons[0].endswith(meaning)
    assert (signal.position, signal.direction) == (position, direction)


@pytest.mark.parametrize("mark", [150.0, 0.0])
def test_no_quadrant_without_a_move_of_a_known_price(mark):
    last = msgspec.structs.replace(reading(16, 2e6), mark_price=mark)
    (signal,) = signals(*steady(16), last)
    assert (signal.position, signal.direction) == (None, None)


def test_rises_and_falls_are_episodes_of_their_own():
    events = [*steady(16), reading(16, 1.3e6), *(reading(m, 1e6) for m in range(17, 32))]
    found = signals(*events)
    assert [s.headline.split(" in ")[0] for s in found] == [
        "SOL: open interest rose 30.0 %",
        "SOL: open interest fell 23.1 %",
    ]


def test_small_open_interest_is_not_worth_telling():
    coins = OI_MINIMUM_USD / 150 / 2
    assert signals(*steady(16, coins), reading(16, coins * 1.9)) == []


def test_an_exchange_that_falls_out_looks_like_no_change():
    both = [each for m in range(16) for each in (reading(m, 1e6), reading(m, 1e6, "okx"))]
    alone = [reading(m, 1e6) for m in range(16, 20)]
    assert signals(*both, *alone) == []
    newcomer = [each for m in range(16, 20) for each in (reading(m, 1e6), reading(m, 9e6, "okx"))]
    assert signals(*steady(16), *newcomer) == []


def since(minute, event):
    return msgspec.structs.replace(event, comparable_since_ms=T0 + minute * MINUTE)


def test_what_was_counted_in_another_way_is_no_start_of_a_window():
    halved = [since(16, reading(m, 5e5)) for m in range(16, 31)]
    assert signals(*steady(16), *halved) == []
    late = since(16, reading(1.5, 5e5))
    assert signals(*steady(16), halved[0], reading(2, 1e6), late, *halved[1:2]) == []
    (signal,) = signals(*steady(16), *halved, since(16, reading(31, 1e6)))
    assert signal.value == pytest.approx(100.0), "fifteen minutes later it counts again"


def test_what_was_counted_in_another_way_spoils_no_other_exchange():
    both = [each for m in range(16) for each in (reading(m, 1e6), reading(m, 1e6, "okx"))]
    (signal,) = signals(*both, since(16, reading(16, 5e5)), reading(16, 1.3e6, "okx"))
    assert (signal.exchanges, signal.value) == (("okx",), pytest.approx(30.0))


def test_open_interest_counted_anew_is_remembered_from_then_on_only():
    detection = ByRules()
    feed(detection, [stats(), *steady(16), since(14, reading(16, 5e5))])
    (venue,) = detection.coins["SOL"][1].open_interest.venues.values()
    assert sorted(r.ts_event_ms for r in venue._slots.values()) == [
        T0 + minute * MINUTE for minute in (14, 15, 16)
    ]


def test_open_interest_needs_fifteen_minutes_and_numbers():
    assert signals(*steady(13), reading(13, 9e6)) == []
    assert signals(*steady(16, 0.0), reading(16, 9e6)) == []


@pytest.mark.parametrize("coins", [0.0, -5e6, float("nan"), float("inf")])
def test_what_is_no_amount_is_no_reading(coins):
    assert signals(*steady(16), reading(16, coins)) == []
    assert signals(*steady(10), reading(10, coins), *steady(30)[11:]) == []


def test_the_fixed_limit_of_open_interest_says_so():
    (signal,) = feed(ByRules(), [*steady(16), reading(16, 1.3e6)])
    assert (signal.method, signal.limit) == ("fixed", 20.0)
    assert "the fixed limit of SOL, 20 % from $10.0M of open interest on" in signal.reasons


def test_of_readings_within_ten_seconds_the_latest_counts():
    same_slot = [reading(1.1, 1e6), reading(1.15, 5e5)]
    for order in (same_slot, same_slot[::-1]):
        (signal,) = signals(*order, reading(16.15, 1e6))
        assert signal.value == pytest.approx(100.0)


def test_a_late_reading_serves_as_the_start_of_the_window():
    events = [reading(16, 1.3e6), reading(1, 1e6), reading(1, 1e6), reading(16.1, 1.3e6)]
    (signal,) = signals(*events)
    assert signal.value == pytest.approx(30.0)


def test_fast_polls_are_bounded():
    detection = ByRules()
    feed(detection, [stats(), *(reading(n / 60, 1e6) for n in range(7200))])
    (venue,) = detection.coins["SOL"][1].open_interest.venues.values()
    assert len(venue._slots) < 110


@given(
    st.lists(st.tuples(st.floats(0.9, 1.1), st.floats(-0.1, 0.1)), min_size=17, max_size=45),
    st.integers(0, 45),
)
def test_open_interest_rebuilt_from_its_window_goes_on_as_before(steps, cut):
    minute, coins, events = 0.0, 1e6, []
    for step, change in steps:
        minute, coins = minute + step, coins * (1 + change)
        events += [reading(minute, coins), reading(minute + 0.1, 2e6 - coins / 2, "okx")]
    cut = min(cut, len(steps) - 1) * 2
    whole, rebuilt = ByRules(), ByRules()
    for detection in (whole, rebuilt):
        detection.on_event(stats(), place(0, stats()))
    feed(whole, events[:cut])
    held = whole.coins["SOL"][1].open_interest
    if held.rise.running or held.fall.running:
        return  # as above
    committed_ms = events[cut].ts_event_ms
    for offset, event in enumerate(events[:cut]):
        if event.ts_event_ms >= committed_ms - 18 * MINUTE:
            rebuilt.on_event(event, place(offset, event))
    assert feed(rebuilt, events[cut:], cut) == feed(whole, events[cut:], cut)
