"""What a detector may know of other topics: as of a time, whatever has come since."""

from math import log

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Bar, DetectorSettings, FeedHealth, OpenInterest
from foreshock_schemas.testing import sample
from threshold_service.domain.around import Around
from threshold_service.domain.history import History
from threshold_service.domain.limits import Limits
from threshold_service.domain.market import Market
from threshold_service.domain.world import World

T0 = 1_781_622_000_000
SECOND, MINUTE = 1_000, 60_000
TOLD = sample(DetectorSettings, event_id="", scope="*", dynamic_thresholds=True, budgets={})


def bar(second, price=100.0, usd=1_000.0, bought=0.5, exchange="binance"):
    at_ms = T0 + round(second * SECOND)
    return sample(
        Bar,
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        exchange=exchange,
        coin="SOL",
        close=price,
        notional_usd=usd,
        taker_buy_usd=usd * bought,
        late_notional_usd=0.0,
        mark_price=None,
    )


def reading(minute, coins, exchange="binance", price=100.0, since_ms=0):
    at_ms = T0 + round(minute * MINUTE)
    return sample(
        OpenInterest,
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        exchange=exchange,
        coin="SOL",
        open_interest_coins=coins,
        open_interest_usd=coins * price,
        mark_price=price,
        comparable_since_ms=since_ms,
    )


def health(second, state, exchange="binance", channel="liquidations", gap=None):
    at_ms = T0 + second * SECOND
    return sample(
        FeedHealth,
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        exchange=exchange,
        channel=channel,
        state=state,
        gap_start_ms=gap,
    )


def told(second, scope="*", by="user", **budgets):
    at_ms = T0 + second * SECOND
    return msgspec.structs.replace(
        TOLD, event_id=f"s{second}", ts_recv_ms=at_ms, scope=scope, changed_by=by, budgets=budgets
    )


def around(*events, world=()):
    everywhere = World(TOLD)
    for event in world:
        everywhere.on_event(event)
    market = Market()
    for event in events:
        (market.on_bar if isinstance(event, Bar) else market.on_reading)(event)
    return Around("SOL", Limits("SOL"), market, everywhere)


def as_of(there, second):
    """Stand at an event of which what lies before `second` may be known."""
    at_ms = T0 + round(second * SECOND) + 30 * SECOND
    there.look(at_ms)
    return there


def test_a_history_knows_what_was_in_force():
    held = History(3)
    for ms, value in ((10, "a"), (20, "b"), (15, "c"), (40, "d")):
        held.add(ms, value)
    assert [held.at(ms) for ms in (19, 20, 39, 40, 99)] == [None, "c", "c", "d", "d"]
    assert len(held.values) == 3


def test_the_price_moves_by_slots_that_are_whole():
    rising = [bar(n, 100 * 1.001**n) for n in range(600)]
    there = as_of(around(*rising), 590)
    assert there.price_move(180).change == pytest.approx(180 * log(1.001))
    assert there.price_move(180).sigmas == pytest.approx(4.24, abs=0.1), "18 slots of 1 %, one way"
    later = as_of(around(*rising, bar(600, 1.0)), 590)
    assert later.price_move(180) == there.price_move(180)
    assert as_of(around(*rising[:100]), 90).price_move(180) is None


def test_the_price_is_known_for_as_long_as_open_interest_is_compared():
    rising = [bar(n, 100 * 1.0001**n) for n in range(0, 7_300, 10)]
    there = as_of(around(*rising), 7_200)
    assert there.price_move(3_600).change == pytest.approx(3_600 * log(1.0001), rel=0.01)


def test_takers_flow_is_bought_less_sold():
    there = as_of(around(*(bar(n, bought=0.75) for n in range(1_000))), 990)
    assert there.context().cvd_usd == pytest.approx(900 * 500)


def test_volume_is_of_whole_minutes_and_by_venue():
    bars = [bar(n, exchange=name) for n in range(1_200) for name in ("binance", "okx")]
    there = as_of(around(*bars), 1_190)
    assert there.traded_usd("okx", 300) == pytest.approx(6 * 60 * 1_000)
    assert there.traded_usd("bybit", 300) is None
    assert as_of(around(*bars[:200]), 95).traded_usd("okx", 300) is None, "half of it unseen"


def test_a_feed_that_ends_does_not_leave_its_last_slot_open():
    bars = [bar(n, exchange="okx") for n in range(100)]
    later = bar(5_000, exchange="okx")
    for there in (around(*bars), around(*bars, later)):
        as_of(there, 4_000)
        assert there.traded_usd("okx", 3_600) == as_of(around(*bars), 4_000).traded_usd("okx", 3600)
        assert there.price_move(60).change == 0.0


def test_open_interest_moves_over_matched_venues():
    both = [reading(m, 1e6 * (1 + m / 100), name) for m in range(20) for name in ("binance", "okx")]
    there = as_of(around(*both, reading(19.5, 9e6, "bybit")), 19.6 * 60)
    assert there.interest_move(300).change == pytest.approx(log(1.19 / 1.14))
    assert there.interest_usd() == pytest.approx(2 * 1.19e8 + 9e8)


def test_open_interest_of_a_venue_that_is_gone_or_counts_anew_is_no_move():
    gone = [reading(m, 1e6, "okx") for m in range(5)]
    steady = [reading(m, 1e6) for m in range(20)]
    assert as_of(around(*steady, *gone), 19.5 * 60).interest_move(300).change == 0.0
    anew = [reading(m, 5e5, "okx", since_ms=T0 + 18 * MINUTE) for m in (18, 19)]
    before = [reading(m, 1e6, "okx") for m in range(18)]
    assert as_of(around(*steady, *before, *anew), 19.5 * 60).interest_move(300).change == 0.0


def test_venues_whose_liquidations_are_not_seen_are_left_out():
    readings = [reading(0, 1e6), reading(0, 2e6, "okx")]
    there = around(*readings, world=[health(0, "LIVE"), health(100, "MUTE"), health(200, "QUIET")])
    assert [as_of(there, s).interest_usd() for s in (50, 150, 250)] == [3e8, 2e8, 3e8]
    assert [each.state for each in as_of(there, 150).feeds("liquidations")] == ["MUTE"]
    assert as_of(around(*readings, world=[health(0, "DOWN", gap=5)]), 50).interest_usd() == 3e8


def test_settings_take_effect_thirty_seconds_after_their_record():
    there = around(world=[told(0, volume_spike=5.0), told(60, "SOL", volume_spike=1.0)])
    assert [as_of(there, s).budget("volume_spike") for s in (-90, 59, 60)] == [5.0, 5.0, 1.0]
    assert as_of(there, 60).settings.event_id == "s60"
    assert around().budget("volume_spike") == 3.0


def test_the_environments_last_word_is_found_under_the_users():
    world = World(TOLD)
    for each in (told(0, by="environment"), told(5), told(7, "SOL", by="environment")):
        world.on_event(each)
    assert world.latest_by("environment").event_id == "s0"
    assert World(TOLD).latest_by("user") is None


@pytest.mark.parametrize(
    ("coins", "price", "reading_of"),
    [
        (1.1, 1.1, "new longs lead"),
        (1.1, 0.9, "new shorts lead"),
        (0.9, 1.1, "shorts are being closed"),
        (0.9, 0.9, "longs are being closed"),
        (1.0, 1.1, None),
    ],
)
def test_the_quadrant_is_named(coins, price, reading_of):
    bars = [bar(n, 100.0 if n < 500 else 100.0 * price) for n in range(1_000)]
    readings = [reading(m, 1e6 if m < 8 else coins * 1e6) for m in range(17)]
    assert as_of(around(*bars, *readings), 985).context().reading == reading_of


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.floats(50, 150), st.floats(0, 1e6)), max_size=80
    ).map(sorted),
    st.integers(0, 900),
)
def test_what_comes_later_changes_nothing(steps, cut):
    bars = [bar(*step) for step in steps]
    known = [each for each in bars if each.ts_recv_ms <= T0 + cut * SECOND]
    for there in (as_of(around(*known), cut - 1), as_of(around(*bars), cut - 1)):
        seen = there.price_move(60), there.traded_usd("binance", 300), there.context()
        assert seen == (
            as_of(around(*known), cut - 1).price_move(60),
            as_of(around(*known), cut - 1).traded_usd("binance", 300),
            as_of(around(*known), cut - 1).context(),
        )


def test_a_market_survives_its_snapshot():
    market = Market()
    for n in range(300):
        market.on_bar(bar(n * 7, 100 + n % 9))
        market.on_reading(reading(n, 1e6 + n))
    packed = msgspec.msgpack.encode(market)
    assert msgspec.msgpack.decode(packed, type=Market) == market
    assert len(packed) < 30_000
