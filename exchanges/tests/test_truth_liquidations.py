"""What is told of liquidation feeds: clusters, connections, restarts, newcomers."""

from math import exp, log, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.truth.clusters import Clusters
from foreshock_exchanges.truth.liquidations import HALF_LIFE_MS, SOONEST_MS, LiquidationJudge
from foreshock_exchanges.truth.silence import FALSE_ALARM_MINUTES, FEWEST_OWN, Learned, Silence
from foreshock_schemas.events import Liquidation
from foreshock_schemas.testing import sample

MINUTE = 60_000
DAY = 86_400_000


def print_at(ms, exchange="x", coin="BTC", position="long"):
    return sample(
        Liquidation,
        exchange=exchange,
        coin=coin,
        position=position,
        ts_event_ms=ms,
        ts_recv_ms=ms + 50,
    )


def regular(feeds, turns, start_ms=0, order="xyyy", every_ms=6_000):
    """One cluster after another, in this order; return the time after the last."""
    for number in range(turns * len(order)):
        feeds.on_cluster(order[number % len(order)], start_ms + number * every_ms)
    return start_ms + turns * len(order) * every_ms


def states(feeds, now_ms):
    return {name: verdict.state for name, verdict in feeds.judge(now_ms).items()}


def test_prints_of_a_venue_coin_and_side_within_a_second_or_so_are_one_cluster():
    clusters = Clusters()
    prints = [
        print_at(0),
        print_at(900),
        print_at(2_300),
        print_at(2_400, position="short"),
        print_at(2_400, coin="ETH"),
        print_at(2_400, exchange="y"),
        print_at(3_900),
    ]
    opened = [clusters.opens(each) for each in prints]
    assert opened == [True, False, False, True, True, True, True]


def test_a_cascade_that_goes_on_counts_again_each_minute():
    clusters = Clusters()
    assert sum(clusters.opens(print_at(ms)) for ms in range(0, 5 * MINUTE, 1_000)) == 5


@given(
    own=st.integers(FEWEST_OWN, 10_000),
    odds=st.floats(0.12, 20.0),
    minutes=st.floats(100.0, 20_000.0),
    dispersion=st.floats(1.0, 5.0),
)
def test_the_limit_is_the_silence_that_calm_makes_once_in_three_months(
    own, odds, minutes, dispersion
):
    learned = Learned(
        own=own,
        others=own / odds,
        minutes=minutes,
        chance=1e9,
        scatter=dispersion * 1e9,
    )
    silence = Silence(DAY, learned)
    at_limit = (1 + silence.limit * log1p(own / (own / odds + 1)) / own) ** (-own / dispersion)
    chances = max(FALSE_ALARM_MINUTES * own / minutes / dispersion, 100)
    assert at_limit * chances == pytest.approx(1.0, rel=1e-3)
    assert exp(-silence.limit * log1p(odds) / dispersion) * chances <= 1.05


def test_a_share_known_from_few_events_needs_more_than_one_known_from_many():
    few, many = (
        Silence(DAY, Learned(own=n, others=3 * n, minutes=n, chance=1e9, scatter=1e9))
        for n in (40, 40_000)
    )
    assert few.share == pytest.approx(many.share, abs=0.01)
    assert few.limit > 1.1 * many.limit
    assert many.limit == pytest.approx(log(FALSE_ALARM_MINUTES) / log(4 / 3), rel=0.01)


def test_the_past_is_half_forgotten_after_a_half_life():
    silence = Silence(DAY, Learned(own=1_000.0, others=3_000.0, minutes=1_440.0))
    silence.learn(0, DAY)
    assert silence.own == 501.0
    assert silence.share == 501 / 2_002


def test_a_mute_verdict_says_for_how_long_and_against_what():
    feeds = LiquidationJudge("xy")
    end = regular(feeds, 200)
    assert states(feeds, end) == {"x": "LIVE", "y": "LIVE"}
    end = regular(feeds, 60, end, order="y")
    verdict = feeds.judge(end)["x"]
    assert verdict.state == "MUTE"
    assert verdict.since_ms == 796 * 6_000
    assert verdict.reason == "silent for 6 min while the others had 63 clusters; 21.0 were expected"
    feeds.on_cluster("x", end + 50)
    assert states(feeds, end + 50)["x"] == "LIVE"


def test_a_feed_is_unknown_until_it_had_30_clusters_and_while_its_share_is_small():
    feeds = LiquidationJudge("xyz")
    assert states(feeds, 0) == dict.fromkeys("xyz", "UNKNOWN")
    end = regular(feeds, FEWEST_OWN - 1)
    assert states(feeds, end)["x"] == "UNKNOWN"
    end = regular(feeds, 1_000, end, order="yyyyyyyyyyyx")
    assert feeds.share("x") < 0.1
    end = regular(feeds, 500, end, order="y")
    assert states(feeds, end) == {"x": "UNKNOWN", "y": "LIVE", "z": "UNKNOWN"}
    assert feeds.judge(end)["x"].reason == (
        f"its share of {feeds.share('x'):.2f} is too small to tell a fault from calm"
    )


def test_a_cascade_elsewhere_is_not_held_against_a_feed_before_a_minute():
    feeds = LiquidationJudge("xy")
    end = regular(feeds, 200)
    last_x = end - 4 * 6_000
    for number in range(200):
        feeds.on_cluster("y", end + number)
    assert states(feeds, end + 200)["x"] == "LIVE"
    assert states(feeds, last_x + SOONEST_MS - 1)["x"] == "LIVE"
    assert states(feeds, last_x + SOONEST_MS)["x"] == "MUTE"


def test_times_without_a_socket_do_not_count_and_a_new_socket_does_not_excuse():
    feeds = LiquidationJudge("xy")
    end = regular(feeds, 200)
    feeds.connected("x", "down", end, "closed by the venue")
    end = regular(feeds, 500, end, order="y")
    assert feeds.judge(end)["x"].reason == "closed by the venue"
    share = feeds.share("x")
    feeds.connected("x", "up", end)
    assert states(feeds, end)["x"] == "LIVE"
    end = regular(feeds, 30, end, order="y")
    feeds.connected("x", "down", end)
    feeds.connected("x", "up", end + 1)
    end = regular(feeds, 30, end, order="y")
    assert states(feeds, end)["x"] == "MUTE"
    end = regular(feeds, 1, end)
    assert feeds.share("x") == pytest.approx(share, abs=0.01)
    feeds.connected("x", "partial", end)
    assert states(feeds, end)["x"] == "PARTIAL"


def test_nothing_is_learned_of_a_feed_while_a_witness_that_matters_is_away():
    feeds = LiquidationJudge("xyz")
    end = regular(feeds, 200, order="xyz")
    before = feeds.share("x")
    feeds.connected("z", "down", end)
    end = regular(feeds, 1_000, end, order="xy")
    feeds.connected("z", "up", end)
    assert feeds.share("x") == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize(
    ("away", "order", "state", "share"),
    [
        ("down", "xy", "DOWN", 1 / 2),
        ("up", "xy", "MUTE", 1 / 2),
        ("partial", "xyxyzxyxy", "PARTIAL", 4 / 9),
    ],
)
def test_a_venue_away_for_a_half_life_no_longer_keeps_the_others_from_learning(
    away, order, state, share
):
    feeds = LiquidationJudge("xyz")
    end = regular(feeds, 300, order="xyz", every_ms=MINUTE)
    feeds.connected("z", away, end)
    turns = HALF_LIFE_MS // len(order) // MINUTE
    end = regular(feeds, turns - 1, end, order, every_ms=MINUTE)
    assert feeds.share("x") == pytest.approx(1 / 3, abs=0.01)
    end = regular(feeds, 3 * turns, end, order, every_ms=MINUTE)
    assert feeds.share("x") == pytest.approx(share, abs=0.02)
    assert states(feeds, end) == {"x": "LIVE", "y": "LIVE", "z": state}
    feeds.connected("z", "up", end)
    end = regular(feeds, 12, end, order="xyz", every_ms=MINUTE)
    assert states(feeds, end) == dict.fromkeys("xyz", "UNKNOWN")
    end = regular(feeds, 200, end, order="xyz", every_ms=MINUTE)
    assert states(feeds, end) == dict.fromkeys("xyz", "LIVE")
    assert feeds.share("x") == pytest.approx(1 / 3, abs=0.02)


def test_a_newcomer_of_weight_makes_all_shares_start_anew_after_ten_clusters():
    feeds = LiquidationJudge("xyz")
    feeds.connected("z", "down", 0)
    end = regular(feeds, 200, order="xy")
    feeds.connected("z", "up", end)
    end = regular(feeds, 10, end, order="xyz")
    assert states(feeds, end) == {"x": "LIVE", "y": "LIVE", "z": "UNKNOWN"}
    end = regular(feeds, 2, end, order="xyz")
    assert states(feeds, end) == dict.fromkeys("xyz", "UNKNOWN")
    end = regular(feeds, 100, end, order="xyzz")
    assert set(states(feeds, end).values()) == {"LIVE"}
    assert feeds.share("x") == pytest.approx(0.25, abs=0.02)
    assert feeds.share("z") == pytest.approx(0.5, abs=0.02)


def test_a_newcomer_of_no_weight_changes_nothing_and_none_excuses_a_mute_feed():
    feeds = LiquidationJudge("wxyz")
    end = regular(feeds, 200, order="xy")
    end = regular(feeds, 20, end, order="z" + "xy" * 20)
    assert states(feeds, end) == {"w": "UNKNOWN", "x": "LIVE", "y": "LIVE", "z": "UNKNOWN"}
    end = regular(feeds, 50, end, order="y")
    assert states(feeds, end)["x"] == "MUTE"
    end = regular(feeds, 20, end, order="wy")
    assert states(feeds, end)["x"] == "MUTE"


def test_prints_of_venues_not_named_are_left_out():
    feeds = LiquidationJudge("xy")
    end = regular(feeds, 200, order="xyq")
    assert feeds.share("x") == pytest.approx(0.5, abs=0.01)
    assert set(states(feeds, end)) == {"x", "y"}


EVENTS = st.lists(
    st.tuples(st.integers(0, 20_000), st.sampled_from(["x", "y", "z", "up", "down"])),
    min_size=200,
    max_size=600,
)


def tell(feeds, events):
    for at_ms, what in events:
        if what in {"up", "down"}:
            feeds.connected("x", what, at_ms)
        else:
            feeds.on_cluster(what, at_ms)


@given(EVENTS, st.floats(0, 1), st.integers(0, 3_600_000))
def test_the_same_events_give_the_same_states_whoever_asks_in_between(steps, part, later_ms):
    events, at_ms = [], 0
    for pause, what in steps:
        at_ms += pause
        events.append((at_ms, what))
    once, asked = LiquidationJudge("xyz"), LiquidationJudge("xyz")
    tell(once, events)
    cut = int(part * len(events))
    tell(asked, events[:cut])
    asked.judge(at_ms * 2)
    tell(asked, events[cut:])
    assert asked.judge(at_ms + later_ms) == once.judge(at_ms + later_ms)
