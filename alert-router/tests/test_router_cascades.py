"""Cascades by their own id: each state once, an end only for who heard a beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.routing import Router
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import SAMPLE_MS, sample

STATES = ["BUILDING", "CONFIRMED", "FADING", "ENDED"]
SEVERITY = {"BUILDING": "info", "CONFIRMED": "warning", "FADING": "info", "ENDED": "info"}


def cascade(state, at_s=0, incident="cascade:1", coin="BTC", **changes):
    return sample(
        Signal,
        event_id=f"signal:{incident}:{state}:{at_s}",
        ts_event_ms=SAMPLE_MS + at_s * 1000,
        coin=coin,
        kind="cascade",
        severity=SEVERITY[state],
        incident_id=incident,
        incident_state=state,
        **changes,
    )


def chat(chat_id=1, **wish):
    return sample(Subscription, **{"chat_id": chat_id, "active": True} | wish)


@pytest.fixture
def router():
    made = Router(300_000, 60)
    made.on_subscription(chat())
    return made


def test_the_states_of_a_cascade_revise_one_incident_whatever_the_cooldown(router):
    told = [router.on_signal(cascade(s, at_s=n)).alerts[0] for n, s in enumerate(STATES)]
    assert [each.title for each in told] == [
        f"BTC · Liquidation cascade {word}" for word in ("building", "confirmed", "fading", "over")
    ]
    assert {each.incident_id for each in told} == {"cascade:1"}
    assert [each.revision for each in told] == [1, 2, 3, 4]
    assert [each.incident_state for each in told] == STATES


def test_another_cascade_of_the_same_coin_is_another_incident(router):
    for number in (1, 2):
        assert router.on_signal(cascade("CONFIRMED", number, f"cascade:{number}")).alerts


@pytest.mark.parametrize("late", ["BUILDING", "CONFIRMED", "FADING"])
def test_a_late_or_repeated_state_changes_nothing(router, late):
    for n, state in enumerate(STATES[:3]):
        router.on_signal(cascade(state, at_s=n))
    routed = router.on_signal(cascade(late, at_s=9))
    assert (routed.alerts, routed.untold) == ([], "repeat")
    (over,) = router.on_signal(cascade("ENDED", at_s=10)).alerts
    assert over.revision == 4


def test_confirmed_is_told_even_when_it_comes_after_the_fading(router):
    for state in ("BUILDING", "FADING"):
        router.on_signal(cascade(state))
    (confirmed,) = router.on_signal(cascade("CONFIRMED", at_s=5)).alerts
    assert confirmed.revision == 3


def test_an_end_is_told_only_to_who_heard_the_beginning(router):
    router.on_subscription(chat(2, minimum_severity="warning"))
    router.on_subscription(chat(3, minimum_severity="critical"))
    heard = {
        state: [each.chat_id for each in router.on_signal(cascade(state)).alerts]
        for state in STATES
    }
    assert heard == {"BUILDING": [1], "CONFIRMED": [1, 2], "FADING": [1, 2], "ENDED": [1, 2]}


def test_who_stopped_meanwhile_hears_no_end(router):
    router.on_signal(cascade("CONFIRMED"))
    router.on_subscription(chat(active=False))
    assert not router.on_signal(cascade("ENDED", at_s=60)).alerts


def test_a_state_reached_is_news_though_nobody_listens():
    router = Router(300_000, 60)
    assert [news.state for news in router.on_signal(cascade("CONFIRMED")).news] == ["CONFIRMED"]


@given(st.lists(st.tuples(st.sampled_from(STATES), st.integers(1, 3), st.integers(0, 90))))
def test_confirmed_is_told_once_and_only_once_and_revisions_only_rise(steps):
    router = Router(300_000, 1)
    router.on_subscription(chat())
    told = []
    for state, number, at_s in steps:
        told += router.on_signal(cascade(state, at_s, f"cascade:{number}", f"C{number}")).alerts
    for number in (1, 2, 3):
        of_it = [each for each in told if each.incident_id == f"cascade:{number}"]
        confirmed = [each for each in of_it if each.incident_state == "CONFIRMED"]
        assert len(confirmed) == any((s, n) == ("CONFIRMED", number) for s, n, _ in steps)
        assert not any(each.held_back for each in confirmed)
        revisions = [each.revision for each in of_it]
        assert revisions == sorted(set(revisions))
