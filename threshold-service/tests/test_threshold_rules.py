"""The requirements' rules: when they speak, what they say, and that a replay says the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_rules import (
    MINUTE,
    SINGLE_USD,
    SPIKE_USD,
    T0,
    ByRules,
    bar,
    feed,
    liquidation,
    place,
    reading,
    signals,
    stats,
)

from foreshock_schemas.events import Bar, Liquidation
from threshold_service.domain import wording
from threshold_service.domain.formulas import baseline_prd
from threshold_service.domain.rules import cascade

# single liquidations


def test_a_liquidation_is_told_of_from_the_limit_on():
    assert signals(liquidation(0, SINGLE_USD - 0.01)) == []
    (signal,) = signals(liquidation(0, SINGLE_USD))
    assert (signal.kind, signal.value, signal.limit) == ("liquidation", 1e6, 1e6)
    assert (signal.position, signal.direction, signal.severity) == ("long", "down", "info")
    assert signal.headline == "SOL: $1.00M long liquidated on binance at 150 (limit $1.00M)"
    assert signal.reasons == (
        "1.0 x the limit, daily volume $1.00B x 0.1 % (large cap) x session 1 x volatility 1.00",
        "us session, limits of 14:59 UTC, confidence 100%",
    )
    assert signal.evidence == (place(1, liquidation(0, SINGLE_USD)),)
    assert (signal.ts_event_ms, signal.ts_recv_ms) == (T0, T0 + 40)


def test_a_short_points_up_and_size_makes_it_worse():
    found = signals(*(liquidation(n * 100, n * 1e6, "short") for n in (1, 2, 4)))
    assert [each.direction for each in found] == ["up"] * 3
    assert [each.severity for each in found] == ["info", "warning", "critical"]


def test_without_statistics_the_original_constants_hold():
    event = liquidation(0, 10_000, coin="DOGE")
    (signal,) = feed(ByRules(), [event])
    assert (signal.method, signal.limit) == ("fixed", 10_000)
    assert signal.reasons == ("1.0 x the limit, the fixed limit of DOGE, $10.0k",)


@pytest.mark.parametrize("usd", [float("nan"), float("inf"), -1.0, 0.0])
def test_amounts_that_are_none_say_nothing(usd):
    assert signals(*(liquidation(n / 10, usd) for n in range(5))) == []
    assert signals(*(bar(n, usd) for n in range(5))) == []


# cascades


def test_a_cascade_is_told_of_once_with_its_numbers():
    events = [liquidation(n, 9e5, exchange="binance" if n % 2 else "okx") for n in range(10)]
    (signal,) = signals(*events)
    assert (signal.kind, signal.value, signal.limit) == ("cascade", 5.4e6, 5e6)
    assert signal.headline == ("SOL: at least $5.40M of longs liquidated in 60 s (limit $5.00M)")
    assert signal.reasons[0] == "6 liquidations on binance, okx"
    assert "5 x daily volume $1.00B x 0.1 %" in signal.reasons[1]
    assert (signal.severity, signal.coverage) == ("warning", "sampled")
    assert [each.offset for each in signal.evidence] == [1, 2, 3, 4, 5, 6]


def test_full_feeds_need_no_floor():
    (signal,) = signals(*(liquidation(n, 9e5, coverage="full") for n in range(6)))
    assert "at least" not in signal.headline
    assert wording.coverage_of({"full", "unknown"}) == "unknown"


def test_two_liquidations_are_no_cascade():
    events = [liquidation(0, 9e6), liquidation(1, 9e6), liquidation(2, 1.0)]
    assert [s.ts_event_ms for s in signals(*events, kind="cascade")] == [T0 + 2000]


def test_sides_and_coins_are_apart():
    mixed = [liquidation(n, 9e5, "long" if n % 2 else "short") for n in range(10)]
    assert signals(*mixed) == []


def test_what_lies_a_whole_minute_back_counts_no_more():
    early = [liquidation(0, 9e5) for _ in range(3)]
    assert signals(*early, *(liquidation(60, 9e5) for _ in range(3))) == []
    (signal,) = signals(*early, *(liquidation(59.999, 9e5) for _ in range(3)))
    assert signal.value == pytest.approx(5.4e6)


def test_a_cascade_can_begin_again_after_half():
    first = [liquidation(n, 9e5) for n in range(6)]
    still = [liquidation(50, 9e5), liquidation(55, 9e5)]  # never down to 2.5M
    assert len(signals(*first, *still)) == 1
    after_silence = [liquidation(600 + n, 9e5) for n in range(6)]
    assert [s.ts_event_ms for s in signals(*first, *after_silence)] == [
        T0 + 5_000,
        T0 + 605_000,
    ]


def test_late_events_count_but_open_no_older_window():
    events = [liquidation(n, 9e5) for n in (50, 51, 52, 53, 54)]
    (signal,) = signals(*events, liquidation(10, 9e5))
    assert signal.value == pytest.approx(5.4e6)
    assert signals(*events, liquidation(-7, 9e5)) == []


def test_evidence_is_bounded_and_ends_with_the_trigger():
    events = [liquidation(n / 10, 1e5) for n in range(50)]
    (signal,) = signals(*events)
    assert [each.offset for each in signal.evidence] == list(range(31, 51))
    assert signal.evidence[-1].event_id == events[49].event_id


def test_the_limit_is_that_of_thirty_seconds_before_the_event():
    detection = ByRules()
    events = [
        stats(T0 - 61 * MINUTE),
        stats(T0, daily_usd=2e9),
        liquidation(29.9, 1.5e6),
        liquidation(30, 1.5e6),
    ]
    assert [s.ts_event_ms for s in feed(detection, events)] == [T0 + 29_900]


# volume


def test_a_volume_spike_is_an_upward_crossing_over_all_exchanges():
    usual = [bar(n, SPIKE_USD / 10, ex) for n in range(4) for ex in ("binance", "okx")]
    crossing = [bar(4, SPIKE_USD / 10, mark=151.0), bar(5, SPIKE_USD / 10, bought=1.0, mark=152.0)]
    (signal,) = signals(*usual, *crossing, bar(6, SPIKE_USD / 10))
    assert (signal.kind, signal.ts_event_ms) == ("volume_spike", T0 + 5000)
    assert signal.headline == "SOL: $31.2M traded in 15 min (limit $31.2M)"
    assert signal.reasons[0] == (
        "limit $31.2M = 3 x a usual quarter of an hour, daily volume $1.00B / 96 x session 1"
    )
    assert signal.reasons[1] == "buyers were the takers of 55%, on binance, okx"
    assert (signal.exchanges, signal.price) == (("binance", "okx"), 152.0)


@pytest.mark.parametrize(("bought", "direction"), [(0.9, "up"), (0.5, None), (0.1, "down")])
def test_takers_give_the_direction(bought, direction):
    (signal,) = signals(bar(0, 2 * SPIKE_USD, bought=bought))
    assert (signal.direction, signal.severity, signal.price) == (direction, "warning", 150.0)


def test_late_volume_counts_and_old_volume_does_not():
    (signal,) = signals(bar(0, SPIKE_USD * 0.6), bar(1, 0.0, late_usd=SPIKE_USD * 0.5))
    assert signal.value == pytest.approx(1.1 * SPIKE_USD, abs=0.01)
    assert signals(bar(0, SPIKE_USD * 0.6), bar(900, SPIKE_USD * 0.6)) == []
    assert signals(bar(900, SPIKE_USD * 0.6), bar(0, SPIKE_USD * 0.6)) == []


def test_a_spike_needs_a_fall_before_the_next():
    base = [bar(0, SPIKE_USD * 0.3), bar(1, SPIKE_USD * 0.8)]
    to_08 = [bar(900, SPIKE_USD * 0.05), bar(902, SPIKE_USD * 1.2)]
    assert len(signals(*base, *to_08)) == 2
    still_high = [bar(0, SPIKE_USD * 0.1), bar(1, SPIKE_USD), bar(900, SPIKE_USD)]
    assert len(signals(*still_high)) == 1


def test_without_a_daily_volume_there_is_no_spike():
    assert feed(ByRules(), [bar(0, 1e12)]) == []


# the whole


def test_reasons_name_the_constants_that_the_limits_were_made_with(monkeypatch):
    limits = baseline_prd(stats())
    monkeypatch.setattr(wording, "SPIKE_TIMES", 4.0)
    monkeypatch.setattr(wording, "QUARTERS_A_DAY", 90)
    monkeypatch.setattr(wording, "OI_CHANGE_PCT", 12.5)
    monkeypatch.setattr(cascade, "CASCADE_TIMES", 7.0)
    assert "= 4 x a usual quarter" in wording.volume_limit(limits, 1e6)
    assert "/ 90 x session" in wording.volume_limit(limits, 1e6)
    assert "= 12.5 % x" in wording.oi_limit(limits)
    (signal,) = signals(stats(), *(liquidation(s, 4e6) for s in range(3)), kind="cascade")
    assert "= 7 x daily volume" in signal.reasons[1]


def test_dollars_in_three_digits():
    amounts = (0.4, 999, 1000, 12_345, 999_960, 1e6, 12.44e6, 999.96e6, 1.236e9, 2.5e12)
    assert [wording.dollars(usd) for usd in amounts] == [
        "$0", "$999", "$1.00k", "$12.3k", "$1.00M", "$1.00M", "$12.4M", "$1.00B", "$1.24B",
        "$2500B",
    ]  # fmt: skip


seconds = st.floats(0, 400)
event_lists = st.lists(
    st.one_of(
        st.builds(
            liquidation,
            seconds,
            st.floats(0, 4e6),
            st.sampled_from(["long", "short"]),
            st.sampled_from(["binance", "okx"]),
            st.sampled_from(["full", "sampled", "unknown"]),
        ),
        st.builds(bar, seconds, st.floats(0, 2e7), st.sampled_from(["binance", "okx"])),
        st.builds(
            reading, st.floats(0, 40), st.floats(0, 2e6), st.sampled_from(["binance", "okx"])
        ),
        st.builds(
            lambda s, usd: stats(T0 + round(s) * 1000, daily_usd=usd), seconds, st.floats(1e6, 1e9)
        ),
    ),
    max_size=80,
)


@given(event_lists)
def test_a_replay_gives_equal_signals(events):
    one, other = ByRules(), ByRules()
    found = feed(one, events)
    assert found == feed(other, events)
    assert len({each.event_id for each in found}) == len(
        {(each.kind, each.evidence[-1].event_id) for each in found}
    )
    for signal in found:
        assert signal.value >= signal.limit > 0
        assert 0 < len(signal.evidence) <= 20


@given(
    st.lists(st.tuples(st.floats(0, 12), st.floats(1e4, 3e6)), min_size=1, max_size=60),
    st.integers(0, 60),
)
@settings(max_examples=200)
def test_a_state_rebuilt_from_the_window_goes_on_as_if_never_interrupted(steps, cut):
    at, events = 0.0, []
    for step, usd in steps:
        at += step
        events.append(liquidation(at, usd))
        events.append(bar(at, usd * 8))
    cut = min(cut, len(steps)) * 2
    whole = ByRules()
    whole.on_event(stats(), place(0, stats()))
    feed(whole, events[:cut])
    _, rules = whole.coins["SOL"]
    episodes = [rules.volume.episode, *(side.episode for side in rules.cascade.sides.values())]
    if any(episode.running for episode in episodes):
        return  # an episode may reach back further than its window
    committed_ms = events[cut - 1].ts_event_ms if cut else T0
    windows_ms = {Liquidation: 2 * MINUTE, Bar: 16 * MINUTE}
    rebuilt = ByRules()
    rebuilt.on_event(stats(), place(0, stats()))
    for offset, event in enumerate(events[:cut]):
        if event.ts_event_ms >= committed_ms - windows_ms[type(event)]:
            rebuilt.on_event(event, place(offset, event))
    assert feed(rebuilt, events[cut:], cut) == feed(whole, events[cut:], cut)
