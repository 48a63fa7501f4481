"""A coin's records reach who decides; flags, bad input, and a snapshot in the middle of it all."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock_kit.environment import load
from foreshock_schemas.events import (
    AHEAD_MS,
    Bar,
    DetectorSettings,
    Evidence,
    Liquidation,
    MarketStats,
    OpenInterest,
    Signal,
)
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TOPICS
from threshold_service.domain.detection import Detection, Partitions
from threshold_service.domain.world import World
from threshold_service.service import told_by
from threshold_service.settings import Settings

T0 = 1_781_622_000_000
SECOND = 1_000
TOPIC_OF = {topic.event: topic.name for topic in TOPICS}


def world(**env):
    return World(told_by(load(Settings, env), 0))


def stats(second=-60, coin="SOL"):
    at_ms = T0 + second * SECOND
    return sample(
        MarketStats,
        event_id=f"stats:{coin}:{second}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        coin=coin,
        price=150.0,
        market_cap_usd=50e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=1e9,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=0.05,
        volatility_ms=at_ms,
    )


def liquidation(second, usd, position="long", coin="SOL"):
    at_ms = T0 + round(second * SECOND)
    return sample(
        Liquidation,
        event_id=f"liq:{second}:{usd}:{position}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 40,
        exchange="bybit",
        coin=coin,
        position=position,
        price=150.0,
        size_coins=usd / 150,
        notional_usd=usd,
        coverage="full",
    )


def bar(second, usd, exchange="binance"):
    at_ms = T0 + second * SECOND
    return sample(
        Bar,
        event_id=f"bar:{exchange}:{second}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + SECOND,
        start_ms=at_ms - SECOND,
        exchange=exchange,
        coin="SOL",
        close=150.0,
        notional_usd=usd,
        taker_buy_usd=usd / 2,
        late_notional_usd=0.0,
    )


def reading(second, coins, exchange="binance"):
    at_ms = T0 + second * SECOND
    return sample(
        OpenInterest,
        event_id=f"oi:{exchange}:{second}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 60,
        exchange=exchange,
        symbol="SOLUSDT",
        coin="SOL",
        open_interest_coins=coins,
        open_interest_usd=coins * 150,
        mark_price=150.0,
    )


def feed(detection, events, start=0):
    """Return the signals of events, each at the next offset of its topic's partition."""
    found = []
    for offset, event in enumerate(events, start):
        where = Evidence(
            topic=TOPIC_OF[type(event)], partition=3, offset=offset, event_id=event.event_id
        )
        found += [each for each in detection.on_event(event, where) if isinstance(each, Signal)]
    return found


def cascade(start=0, usd=4e5, prints=40):
    return [liquidation(start + n, usd) for n in range(prints)]


def test_a_cascade_is_told_with_all_that_it_rests_on():
    readings = [reading(second, 1e7) for second in range(-300, 0, 60)]
    found = feed(Detection(world()), [stats(-3_600), *readings, *cascade()])
    confirmed = [each for each in found if each.incident_state == "CONFIRMED"]
    (signal,) = confirmed
    assert (signal.kind, signal.method, signal.position) == ("cascade", "adaptive", "long")
    why = signal.why
    assert why.model.startswith("adaptive/")
    (inputs,) = why.inputs
    assert (inputs.topic, inputs.partition) == ("foreshock.liquidations.v1", 3)
    assert inputs.first <= inputs.last == signal.evidence[-1].offset
    assert str(signal.ts_recv_ms) in why.reproduce
    assert why.factors
    assert signal.context.over_s == 900


def test_without_dynamic_thresholds_the_original_constants_speak():
    off = Detection(world(ENABLE_DYNAMIC_THRESHOLDS="false"))
    found = feed(off, [stats(-3_600), *cascade()])
    assert {each.method for each in found} == {"fixed"}
    assert {"liquidation", "cascade"} <= {each.kind for each in found}


def test_the_end_of_a_cascade_names_its_liquidations_and_the_bar_that_told():
    readings = [reading(second, 1e7) for second in range(-300, 0, 60)]
    bars = [bar(second, 1e3) for second in range(1, 600, 5)]
    events = sorted([*cascade(), *bars], key=lambda each: each.ts_recv_ms)
    detection, offsets, found = Detection(world()), Counter(), []
    for event in [stats(-3_600), *readings, *events]:
        found += feed(detection, [event], offsets[type(event)])
        offsets[type(event)] += 1
    closing = [each for each in found if each.incident_state in {"FADING", "ENDED"}]
    assert len(closing) == 2
    for signal in closing:
        prints, told = signal.why.inputs
        assert (prints.topic, prints.partition) == ("foreshock.liquidations.v1", 3)
        assert (prints.first, prints.last) == (0, 39)
        assert (told.topic, told.first) == ("foreshock.bars.v1", signal.evidence[0].offset)


def switched(second, *, dynamic):
    at_ms = T0 + second * SECOND
    return sample(
        DetectorSettings,
        event_id=f"settings:{second}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        scope="*",
        dynamic_thresholds=dynamic,
        volume_monitoring=True,
        budgets={},
        changed_by="user",
    )


def test_a_cascade_that_was_told_is_ended_with_dynamic_thresholds_off():
    told = world()
    told.on_event(switched(-9_999, dynamic=True))
    told.on_event(switched(30, dynamic=False))
    readings = [reading(second, 1e7) for second in range(-300, 0, 60)]
    bars = [bar(second, 1e3) for second in range(41, 600, 5)]
    found = feed(Detection(told), [stats(-3_600), *readings, *cascade(), *bars])
    courses = {each.incident_id: each.incident_state for each in found if each.incident_id}
    assert set(courses.values()) == {"ENDED"}


@pytest.mark.parametrize("watched", [True, False])
def test_volume_is_watched_only_where_it_is_told(watched):
    told = world(ENABLE_VOLUME_MONITORING=str(watched).lower())
    found = feed(Detection(told), [stats(-3_600), *(bar(n, 1e7) for n in range(10))])
    assert [each.kind for each in found] == ["volume_spike"] * watched


def test_a_coin_that_is_not_learned_speaks_by_the_requirements_rule():
    (signal,) = feed(Detection(world()), [stats(-3_600), *(bar(n, 1e7) for n in range(10))])
    assert signal.method == "baseline_prd"


def test_times_too_far_ahead_of_receipt_are_refused():
    ahead = msgspec.structs.replace(
        liquidation(0, 9e9), ts_event_ms=T0 + AHEAD_MS + 1, ts_recv_ms=T0
    )
    owned = Partitions(world())
    assert feed(owned, [stats(-3_600), ahead]) == []
    assert owned.refused == 1


@pytest.mark.parametrize("dynamic", [True, False])
def test_repeats_and_bad_sizes_change_nothing(dynamic):
    detection = Detection(world(ENABLE_DYNAMIC_THRESHOLDS=str(dynamic).lower()))
    events = [stats(-3_600), *cascade(usd=1_000, prints=10)]
    feed(detection, events)
    before = dict(detection.snapshot())
    bad = [liquidation(9, usd) for usd in (0.0, -1.0, float("nan"), float("inf"))]
    ahead = msgspec.structs.replace(liquidation(12, 9e9), ts_recv_ms=T0 + 12_000 - AHEAD_MS - 1)
    assert feed(detection, [*events[1:], *bad, ahead], 99) == []
    assert dict(detection.snapshot()) == before


def test_bars_that_come_again_change_nothing():
    """Nor do they count in takers' flow and venues' volume, or in the requirements' rule."""
    detection = Detection(world())
    events = [stats(-3_600), *(bar(second, 1e4) for second in range(400))]
    feed(detection, events)
    before = dict(detection.snapshot())
    assert feed(detection, events[101:], 999) == []
    assert dict(detection.snapshot()) == before
    feed(detection, [bar(-2, 1e4)], 2_000)
    assert dict(detection.snapshot()) != before, "a late one counts"


def test_a_state_of_another_version_is_told_and_not_taken():
    with pytest.raises(ValueError, match="Expected `object`"):
        Detection(world()).restore("SOL", {}, msgspec.msgpack.encode([1, 2]))


def test_what_a_snapshot_holds_is_not_applied_twice():
    events = [stats(-3_600), *cascade(prints=8)]
    whole, owned = Partitions(world()), Partitions(world())
    feed(whole, events)
    offsets = {
        "foreshock.market-stats.v1:3": 1,
        "foreshock.liquidations.v1:3": len(events),
    }
    for coin, state in whole.snapshot(3):
        owned.restore(3, coin, offsets, state)
    assert feed(owned, events) == []
    assert dict(owned.snapshot(3)) == dict(whole.snapshot(3))


def test_statistics_that_come_late_hold_for_what_is_received_later():
    """A start reads all of them first, and must find what held when they were not there yet."""
    first, event = stats(-7_200), liquidation(40, 6e5)
    late = msgspec.structs.replace(stats(0), avg_daily_volume_usd=1e7, ts_recv_ms=T0 + 60 * SECOND)
    live = feed(Detection(world()), [first, event, late])
    assert live == feed(Detection(world()), [first, late, event])
    after = feed(Detection(world()), [first, late, liquidation(91, 6e5)])
    assert [len(live), len(after)] == [0, 1]


seconds = st.integers(0, 900)
histories = st.lists(
    st.one_of(
        st.builds(liquidation, seconds, st.floats(1e4, 4e6), st.sampled_from(["long", "short"])),
        st.builds(bar, seconds, st.floats(0, 3e7), st.sampled_from(["binance", "okx"])),
        st.builds(reading, seconds, st.floats(1e6, 2e6), st.sampled_from(["binance", "okx"])),
        st.builds(stats, seconds),
    ),
    max_size=60,
).map(lambda events: sorted(events, key=lambda each: each.ts_recv_ms))


@given(histories, st.integers(0, 60))
@settings(max_examples=50)
def test_a_snapshot_in_the_middle_changes_nothing(events, cut):
    whole, halves = Detection(world()), Detection(world())
    expected = feed(whole, [stats(-3_600), *events])
    found = feed(halves, [stats(-3_600), *events[:cut]])
    restored = Detection(world())
    for coin, state in halves.snapshot():
        restored.restore(coin, {}, state)
    found += feed(restored, events[cut:], 1 + len(events[:cut]))
    assert found == expected
    assert dict(restored.snapshot()) == dict(whole.snapshot())


@given(histories, st.data())
@settings(max_examples=50)
def test_topics_may_race_by_half_a_minute(events, data):
    """Each topic keeps its order; between them anything less than 30 s may come first."""
    late = {
        kind: data.draw(st.integers(0, 29), label=kind.__name__) * SECOND
        for kind in (Bar, Liquidation, OpenInterest)
    }
    racing = sorted(events, key=lambda each: each.ts_recv_ms + late.get(type(each), 0))
    begin = [stats(-3_600)]
    events = [each for each in events if not isinstance(each, MarketStats)]
    racing = [each for each in racing if not isinstance(each, MarketStats)]
    numbers = {id(each): number for number, each in enumerate(events, 1)}

    def told(order):
        detection, found = Detection(world()), []
        feed(detection, begin)
        for each in order:
            found += feed(detection, [each], numbers[id(each)])
        return sorted(found, key=lambda signal: signal.event_id)

    assert told(racing) == told(events)
