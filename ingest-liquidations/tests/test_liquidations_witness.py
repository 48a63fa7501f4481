"""What everybody's liquidations say of one venue's, now and after a restart."""

import random

from foreshock_schemas.events import FeedHealth, Liquidation
from foreshock_schemas.testing import sample
from ingest_liquidations.domain.witness import Witness

VENUES = ("binance", "bybit", "okx")
MINUTE_MS = 60_000
T0 = 1_790_000_000_000


def liquidation(exchange, at_ms, number):
    return sample(
        Liquidation,
        exchange=exchange,
        coin=f"C{number % 40}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        event_id=f"{exchange}:{number}",
    )


def market(minutes, seed, without=None, since_minute=0):
    """Return liquidations of three venues, ten a minute each, one falling silent at some time."""
    chance = random.Random(seed)
    events = []
    for minute in range(minutes):
        for exchange in VENUES:
            for _ in range(10):
                at_ms = T0 + minute * MINUTE_MS + chance.randrange(MINUTE_MS)
                if exchange != without or minute < since_minute:
                    events.append(liquidation(exchange, at_ms, len(events)))
    return sorted(events, key=lambda event: event.ts_recv_ms)


def heard(witness, events):
    for event in events:
        witness.on_event(event)


def states(witness, now_ms):
    return {each: witness.judge(each, "LIVE", "market frames arrive", now_ms) for each in VENUES}


def test_until_the_past_is_read_the_sockets_are_believed():
    witness = Witness(VENUES)
    assert witness.judge("okx", "PARTIAL", "one socket is lost", T0) == (
        "PARTIAL",
        "one socket is lost",
    )


def test_a_venue_that_falls_silent_while_others_go_on_is_mute():
    witness = Witness(VENUES)
    witness.past_is_complete()
    heard(witness, market(65, seed=1, without="okx", since_minute=60))
    verdicts = states(witness, T0 + 65 * MINUTE_MS)
    assert {name: state for name, (state, _) in verdicts.items()} == {
        "binance": "LIVE",
        "bybit": "LIVE",
        "okx": "MUTE",
    }
    assert "while the others had" in verdicts["okx"][1]


def test_a_restart_comes_to_the_same_from_the_topic_in_whatever_order_of_partitions():
    events = market(65, seed=2, without="okx", since_minute=60)
    running = Witness(VENUES)
    running.past_is_complete()
    heard(running, events)
    restarted = Witness(VENUES)
    heard(restarted, sorted(events, key=lambda event: event.coin))
    restarted.past_is_complete()
    now_ms = T0 + 65 * MINUTE_MS
    assert states(restarted, now_ms) == states(running, now_ms)


def test_a_time_without_connection_is_not_learned_from_after_a_restart():
    down = sample(
        FeedHealth,
        exchange="okx",
        channel="liquidations",
        state="DOWN",
        ts_recv_ms=T0 + 60 * MINUTE_MS,
    )
    up = sample(
        FeedHealth,
        exchange="okx",
        channel="liquidations",
        state="LIVE",
        ts_recv_ms=T0 + 100 * MINUTE_MS,
    )
    witness = Witness(VENUES)
    heard(witness, [*market(101, seed=3, without="okx", since_minute=60), down, up])
    witness.past_is_complete()
    state, reason = witness.judge("okx", "LIVE", "market frames arrive", T0 + 101 * MINUTE_MS)
    assert state == "LIVE", reason


def test_a_lost_connection_is_worse_than_anything_the_witness_says():
    witness = Witness(VENUES)
    witness.past_is_complete()
    heard(witness, market(60, seed=4))
    assert witness.judge("okx", "DOWN", "no route", T0 + 60 * MINUTE_MS) == ("DOWN", "no route")


def health(state, at_ms, exchange="okx", channel="liquidations"):
    return sample(FeedHealth, exchange=exchange, channel=channel, state=state, ts_recv_ms=at_ms)


def test_the_reason_is_our_sockets_even_if_the_past_ended_in_the_same_state():
    witness = Witness(VENUES)
    heard(witness, [health("DOWN", T0)])
    witness.past_is_complete()
    assert witness.judge("okx", "DOWN", "no route", T0 + MINUTE_MS) == ("DOWN", "no route")


def test_of_the_past_only_begins_of_clusters_and_changes_of_link_are_kept():
    witness = Witness(VENUES)
    for second in range(180):
        at_ms = T0 + second * 1_000
        witness.on_event(liquidation("okx", at_ms, 0))
        witness.on_event(liquidation("elsewhere", at_ms, second))
        witness.on_event(health("DOWN", at_ms, channel="trades"))
        witness.on_event(health("LIVE" if second < 90 else "DOWN", at_ms))
    assert [(at_ms - T0, link) for at_ms, _, link in witness._past] == [
        (0, None),
        (60_000, None),
        (90_000, "down"),
        (120_000, None),
    ]
