"""The same signals give the same alerts, whatever dies in between."""

from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.routing import Router
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import SAMPLE_MS, sample

PER_DAY = 15
WISHES = [
    {},
    {"minimum_severity": "warning"},
    {"muted_kinds": ("market_wide",)},
    {"coins": ("BTC", "ETH"), "muted_kinds": ("cascade",)},
]


def signal(number, at_s, coin, kind, severity, way, state):
    incident = f"cascade:{coin}:{at_s // 600}" if kind == "cascade" and state else None
    return sample(
        Signal,
        event_id=f"signal:{number}",
        ts_event_ms=SAMPLE_MS + at_s * 1000,
        ts_recv_ms=SAMPLE_MS + at_s * 1000 + 20,
        coin=coin,
        kind=kind,
        severity=severity,
        direction=way,
        incident_id=incident,
        incident_state=state if incident else None,
        value=float(number + 1),
        coverage="full",
        exchanges=("okx",),
    )


PAUSES_S = [0, 1, 1, 5, 5, 20, 20, 59, 61, 61, 250, 301, 900, -3]
KINDS = ["liquidation", "liquidation", "volume_spike", "cascade", "cascade", "feed"]
STATES = ["BUILDING", "CONFIRMED", "FADING", "ENDED", None]


@st.composite
def histories(draw):
    """Signals over some hours, mostly in their order, some of them twice."""
    at_s, made = 0, []
    for number in range(draw(st.integers(0, 60))):
        at_s = max(0, at_s + draw(st.sampled_from(PAUSES_S)))
        made.append(
            signal(
                draw(st.sampled_from([number, number, number, max(0, number - 3)])),
                at_s,
                draw(st.sampled_from(["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"])),
                draw(st.sampled_from(KINDS)),
                draw(st.sampled_from(["info", "warning", "critical"])),
                draw(st.sampled_from(["down", "down", None, "up"])),
                draw(st.sampled_from(STATES)),
            )
        )
    return made


def new_router():
    router = Router(300_000, PER_DAY)
    for chat_id, wish in enumerate(WISHES, 1):
        router.on_subscription(sample(Subscription, chat_id=chat_id, active=True, **wish))
    return router


def routed(router, signals):
    return [alert for each in signals for alert in router.on_signal(each).alerts]


@given(histories())
def test_no_alert_is_given_twice_and_a_second_run_gives_the_same(signals):
    first = routed(new_router(), signals)
    assert first == routed(new_router(), signals)
    assert len({alert.event_id for alert in first}) == len(first)


@given(histories(), st.data())
def test_a_restart_anywhere_changes_nothing(signals, data):
    """It dies with some signals committed, more of them routed, and alerts of those written."""
    whole = routed(new_router(), signals)
    reached = data.draw(st.integers(0, len(signals)))
    committed = data.draw(st.integers(0, reached))
    surely = routed(new_router(), signals[:committed])
    maybe = routed(new_router(), signals[:reached])[len(surely) :]
    written = [*surely, *maybe[: data.draw(st.integers(0, len(maybe)))]]

    again = new_router()
    for alert in written:
        again.on_past_alert(alert)
    for each in signals[:committed]:
        again.on_past_signal(each)
    assert written + routed(again, signals[committed:]) == whole


@given(histories(), st.data())
def test_each_chat_s_own_alerts_may_be_written_to_different_points(signals, data):
    whole = routed(new_router(), signals)
    again, written = new_router(), []
    for chat_id in range(1, len(WISHES) + 1):
        of_chat = [alert for alert in whole if alert.chat_id == chat_id]
        written += of_chat[: data.draw(st.integers(0, len(of_chat)))]
    for alert in written:
        again.on_past_alert(alert)
    known = {alert.event_id for alert in written}
    assert routed(again, signals) == [a for a in whole if a.event_id not in known]


@given(histories())
def test_no_cascade_is_confirmed_without_a_word(signals):
    told = routed(new_router(), signals)
    seen, expected = set(), set()
    for each in signals:
        if each.event_id not in seen and each.incident_state == "CONFIRMED":
            expected.add(each.incident_id)
        seen.add(each.event_id)
    heard = {a.incident_id for a in told if a.incident_state == "CONFIRMED" and not a.held_back}
    assert heard == expected


def test_who_came_later_was_not_told_before():
    """Settings are read as they are now; alerts say as they were."""
    history = [signal(0, 0, "BTC", "liquidation", "warning", None, None)]
    router = new_router()
    written = routed(router, history)
    again = new_router()
    again.on_subscription(sample(Subscription, chat_id=9, active=True))
    for alert in written:
        again.on_past_alert(alert)
    again.on_past_signal(history[0])
    after = [signal(n, 400 * n, "BTC", "liquidation", "info", None, None) for n in range(1, 9)]
    told = [a for a in routed(again, after) if a.chat_id == 9 and not a.held_back]
    assert len(told) == 8


def test_what_nobody_heard_started_no_cooldown_and_still_starts_none():
    quiet = signal(0, 0, "BTC", "liquidation", "warning", None, None)
    router = new_router()
    router.on_past_signal(quiet)
    assert router.on_signal(signal(1, 1, "BTC", "liquidation", "warning", None, None)).alerts


def large(number, at_s, coin, **changes):
    kind = changes.get("kind", "liquidation")
    return signal(number, at_s, coin, kind, "warning", "down", None)


def test_what_was_told_anew_before_is_not_told_anew_after():
    coins = ["BTC", "ETH", "SOL"]
    history = [large(n, 0, coin) for n, coin in enumerate(coins)]
    history += [large(3 + n, 20, coin) for n, coin in enumerate(["XRP", "DOGE", "ADA"])]
    history.append(large(6, 61, "OKX", kind="feed"))
    history += [large(7 + n, 65, coin) for n, coin in enumerate(["LTC", "LINK", "UNI"])]
    router, again = new_router(), new_router()
    for alert in routed(router, history):
        again.on_past_alert(alert)
    for each in history:
        again.on_past_signal(each)
    after = routed(router, [large(10, 121, "OKX", kind="feed")])
    assert [each.revision for each in after if each.coin == "MARKET"] == [3, 3, 3]
    assert routed(again, [large(10, 121, "OKX", kind="feed")]) == after


def test_what_was_held_back_stays_so_though_the_limit_was_raised():
    def router_of(per_day):
        made = Router(300_000, per_day)
        made.on_subscription(sample(Subscription, chat_id=1, active=True))
        return made

    building = signal(1, 400, "BTC", "cascade", "warning", None, "BUILDING")
    written = routed(router_of(1), [large(0, 0, "ETH"), building])
    assert [alert.held_back for alert in written] == [False, True]
    again = router_of(9)
    for alert in written:
        again.on_past_alert(alert)
    again.on_past_signal(large(0, 0, "ETH"))
    ended = signal(2, 401, "BTC", "cascade", "warning", None, "ENDED")
    assert routed(again, [building, ended]) == []
