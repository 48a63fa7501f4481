"""A chat's limit of alerts a day bounds noise, and never truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.routing import Router
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import SAMPLE_MS, sample

HOUR_MS = 3_600_000


def signal(number, at_ms=0, **changes):
    """Each of a coin of its own and an hour from the next: nothing else holds it back."""
    fields = {
        "event_id": f"signal:{number}",
        "ts_event_ms": SAMPLE_MS + at_ms,
        "coin": f"C{number}",
        "kind": "liquidation",
        "severity": "warning",
        "coverage": "full",
    }
    return sample(Signal, **fields | changes)


def router_of(per_day):
    made = Router(300_000, per_day)
    made.on_subscription(sample(Subscription, chat_id=1, active=True))
    return made


def held_back(router, *signals):
    return [alert.held_back for each in signals for alert in router.on_signal(each).alerts]


def test_info_gives_way_first_then_warnings():
    router = router_of(5)
    minutes = iter(range(0, 24 * 60, 90))

    def told(severity):
        at_ms = next(minutes) * 60_000
        return held_back(router, signal(at_ms, at_ms, severity=severity)) == [False]

    assert [told("info") for _ in range(4)] == [True, True, True, False]
    assert [told("warning") for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    "exempt",
    [
        {"severity": "critical"},
        {"kind": "feed", "severity": "info"},
        {"kind": "cascade", "incident_id": "c", "incident_state": "CONFIRMED"},
    ],
)
def test_truth_is_never_held_back(exempt):
    router = router_of(1)
    assert held_back(router, signal(0), signal(1, HOUR_MS)) == [False, True]
    assert held_back(router, signal(2, 2 * HOUR_MS, **exempt)) == [False]


def test_a_market_wide_incident_is_never_held_back():
    router = router_of(1)
    routed = [router.on_signal(signal(number, number)) for number in range(3)]
    said = [(a.coin, a.held_back) for each in routed for a in each.alerts]
    assert said == [("C0", False), ("C1", True), ("MARKET", False)]


def test_an_end_rings_not_and_so_counts_not():
    router = router_of(3)
    cascade = {"kind": "cascade", "incident_id": "c", "coin": "BTC"}
    states = ["BUILDING", "CONFIRMED", "FADING", "ENDED"]
    for number, state in enumerate(states):
        held = held_back(router, signal(number, number, incident_state=state, **cascade))
        assert held == [False]
    assert held_back(router, signal(8, HOUR_MS), signal(9, 2 * HOUR_MS)) == [False, True]


def test_a_beginning_that_was_held_back_has_no_end():
    router = router_of(1)
    cascade = {"kind": "cascade", "incident_id": "c"}
    held_back(router, signal(0))
    building = signal(1, HOUR_MS, incident_state="BUILDING", **cascade)
    assert held_back(router, building) == [True]
    assert held_back(router, signal(2, HOUR_MS, incident_state="ENDED", **cascade)) == []


def test_the_day_is_the_last_24_hours():
    router = router_of(1)
    day_ms = 24 * HOUR_MS
    held = held_back(router, signal(0), signal(1, day_ms - 1), signal(2, day_ms))
    assert held == [False, True, False]


def test_each_chat_has_its_own():
    router = router_of(1)
    held_back(router, signal(0))
    router.on_subscription(sample(Subscription, chat_id=2, active=True))
    assert held_back(router, signal(1, HOUR_MS)) == [True, False]


def test_what_was_held_back_is_said_once_by_the_next_alert():
    router = router_of(1)
    held_back(router, signal(0))
    for number in range(1, 6):
        held_back(router, signal(number, number * HOUR_MS, kind="volume_spike"))
    held_back(router, signal(6, 6 * HOUR_MS))
    (alert,) = router.on_signal(signal(7, 7 * HOUR_MS, severity="critical")).alerts
    assert alert.lines[-2] == (
        "6 more were held back since your last alert by your limit of 1 in 24 h: "
        "5 volume spikes, 1 large liquidation."
    )
    (next_one,) = router.on_signal(signal(8, 8 * HOUR_MS, severity="critical")).alerts
    assert not any("held back" in line for line in next_one.lines)


SEVERITIES = ["info", "warning", "critical"]


@given(
    st.lists(st.tuples(st.integers(0, 2 * HOUR_MS), st.sampled_from(SEVERITIES)), max_size=60),
    st.integers(1, 8),
)
def test_the_limit_holds_over_any_24_hours(steps, per_day):
    router, at_ms, told = router_of(per_day), 0, []
    for number, (pause_ms, severity) in enumerate(steps):
        at_ms += 60_001 + pause_ms
        held = held_back(router, signal(number, at_ms, severity=severity))
        if held == [False] and severity != "critical":
            told.append(at_ms)
    for end_ms in told:
        assert sum(end_ms - 24 * HOUR_MS < at_ms <= end_ms for at_ms in told) <= per_day
