"""Coins that have left: when they are begun anew, and that no snapshot changes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit.environment import load
from foreshock_schemas.events import Bar, Evidence, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TOPICS
from threshold_service.domain.coin import FORGOTTEN_MS
from threshold_service.domain.detection import Detection
from threshold_service.domain.world import World
from threshold_service.service import told_by
from threshold_service.settings import Settings

T0 = 1_781_622_000_000
DAY = 86_400_000
TOPIC_OF = {topic.event: topic.name for topic in TOPICS}


def stats(ms, coin="SOL", *, in_universe):
    return sample(
        MarketStats,
        event_id=f"stats:{coin}:{ms}",
        ts_event_ms=T0 + ms,
        ts_recv_ms=T0 + ms,
        coin=coin,
        in_universe=in_universe,
    )


def bar(ms, coin="SOL"):
    return sample(
        Bar,
        event_id=f"bar:{coin}:{ms}",
        ts_event_ms=T0 + ms,
        ts_recv_ms=T0 + ms,
        start_ms=T0 + ms - 1_000,
        coin=coin,
        notional_usd=1e6,
    )


def feed(detection, *events):
    for event in events:
        where = Evidence(
            topic=TOPIC_OF[type(event)],
            partition=3,
            offset=event.ts_recv_ms,
            event_id=event.event_id,
        )
        detection.on_event(event, where)
    return detection


def begun():
    return Detection(World(told_by(load(Settings, {}), 0)))


def states(detection):
    return dict(detection.snapshot())


def restored(saved):
    detection = begun()
    for coin, state in saved.items():
        detection.restore(coin, {}, state)
    return detection


@pytest.mark.parametrize(
    ("in_universe", "silent_ms", "anew"),
    [
        (False, FORGOTTEN_MS, True),
        (False, FORGOTTEN_MS - 1, False),
        (True, 30 * DAY, False),
    ],
)
def test_a_coin_that_left_and_fell_silent_is_begun_anew(in_universe, silent_ms, anew):
    first = stats(0, in_universe=in_universe), bar(1_000)
    back = bar(1_000 + silent_ms)
    found = states(feed(begun(), *first, back))
    assert (found == states(feed(begun(), back))) == anew


def test_nothing_is_kept_of_a_coin_that_is_forgotten():
    detection = feed(begun(), stats(0, in_universe=False), stats(0, "BTC", in_universe=True))
    feed(detection, bar(FORGOTTEN_MS, "BTC"))
    assert states(detection).keys() == {"SOL", "BTC"}, "what is under way may still come"
    feed(detection, bar(FORGOTTEN_MS + 60_000, "BTC"))
    assert states(detection).keys() == {"BTC"}


@given(
    st.lists(
        st.tuples(st.floats(0, 9), st.sampled_from(["SOL", "BTC"]), st.booleans(), st.booleans()),
        max_size=20,
    ),
    st.data(),
)
def test_snapshots_and_old_state_that_comes_back_change_nothing(steps, data):
    """Written after each record, and found again by any restart, also of coins long dropped."""
    ms, events = 0, []
    for days, coin, of_stats, in_universe in steps:
        ms += round(days * DAY)
        events.append(stats(ms, coin, in_universe=in_universe) if of_stats else bar(ms, coin))
    whole, other, saved = feed(begun(), *events), begun(), {}
    for event in events:
        saved |= states(feed(other, event))
        if data.draw(st.booleans(), label="the member begins anew"):
            other = restored(saved)
    assert states(other) == states(whole)
