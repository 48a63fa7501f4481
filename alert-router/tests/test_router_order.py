"""Coins are on different partitions: whatever order they come in, a burst is told once."""

from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.routing import Router
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import SAMPLE_MS, sample

COINS = ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"]


def signal(number, coin, at_s, way="down", **changes):
    fields = {
        "event_id": f"signal:{number}",
        "ts_event_ms": SAMPLE_MS + round(at_s * 1000),
        "ts_recv_ms": SAMPLE_MS + round(at_s * 1000) + 20,
        "coin": coin,
        "kind": "liquidation",
        "severity": "warning",
        "headline": f"{coin}: a lot",
        "value": 1e6 * 1.1**number,
        "limit": 1e6,
        "direction": way,
        "coverage": "full",
    }
    return sample(Signal, **fields | changes)


def new_router():
    router = Router(300_000, 60)
    router.on_subscription(sample(Subscription, chat_id=1, active=True))
    router.on_subscription(sample(Subscription, chat_id=2, active=True, coins=("ETH", "SOL")))
    return router


def routed(router, signals):
    return [alert for each in signals for alert in router.on_signal(each).alerts]


def market(alerts):
    return [alert for alert in alerts if alert.coin == "MARKET"]


@st.composite
def bursts(draw):
    """Signals of three to twelve within 50 s, somewhere about the turn of a minute."""
    ways = draw(st.sampled_from([["down"], ["up"], ["down", None], ["up", None]]))
    count = draw(st.integers(3, 12))
    start_s = draw(st.integers(0, 60))
    return [
        signal(
            number,
            draw(st.sampled_from(COINS)),
            start_s + draw(st.integers(0, 50)),
            draw(st.sampled_from(ways)),
        )
        for number in range(count)
    ]


def interleavings(signals):
    """Return ways to read the signals' partitions, one a coin, each in its own order."""

    def of_coins(coins):
        queues = {c: iter([each for each in signals if each.coin == c]) for c in set(coins)}
        return [next(queues[coin]) for coin in coins]

    return st.permutations([each.coin for each in signals]).map(of_coins)


def test_the_same_three_signals_make_the_same_alert_in_any_order():
    three = [signal(0, "BTC", 59), signal(1, "ETH", 61), signal(2, "SOL", 63)]
    made = [market(routed(new_router(), order))[0] for order in permutations(three)]
    whole = [msgspec.structs.replace(each, signal_ids=()) for each in made]
    assert whole == [whole[0]] * len(made)
    assert {frozenset(each.signal_ids) for each in made} == {frozenset(made[0].signal_ids)}


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_what_an_alert_adds_up_does_not_depend_on_the_order(first, second):
    """Once all are in, that is: the first alert waits for none but the third coin."""
    six = [signal(n, coin, 7 * n) for n, coin in enumerate(COINS)]
    later = signal(9, "LTC", 175, value=1e9)
    ways = [routed(new_router(), [*(six[n] for n in order), later]) for order in (first, second)]
    said = [(way[-1].coin, way[-1].revision, way[-1].title, way[-1].lines) for way in ways]
    assert said[0] == said[1]
    assert said[0][:3] == ("MARKET", 3, "MARKET · 7 coins at once, down (growing)")


@given(bursts(), st.data())
def test_after_a_restart_in_another_order_no_burst_is_told_twice(burst, data):
    """It dies with some signals committed, more of them routed, and alerts of those written."""
    order = data.draw(interleavings(burst))
    reached = data.draw(st.integers(0, len(order)))
    alerts = routed(new_router(), order[:reached])
    written = []
    for chat_id in (1, 2):
        of_chat = [alert for alert in alerts if alert.chat_id == chat_id]
        written += of_chat[: data.draw(st.integers(0, len(of_chat)))]
    committed = order[: data.draw(st.integers(0, reached))]
    live = [each for each in burst if each not in committed]

    again = new_router()
    for alert in written:
        again.on_past_alert(alert)
    for each in data.draw(interleavings(committed)):
        again.on_past_signal(each)
    after = routed(again, data.draw(interleavings(live)))

    told = [*written, *after]
    assert len({alert.event_id for alert in told}) == len(told)
    assert len({alert.incident_id for alert in market(told)}) <= 1
    heard = {alert.chat_id for alert in market(written)}
    assert [alert.coin for alert in after if alert.chat_id in heard] == []


def test_the_next_burst_is_news_though_the_last_is_not_all_read_again():
    burst = [signal(number, coin, number) for number, coin in enumerate(COINS[:3])]
    next_one = [signal(9 + n, coin, 330 + n) for n, coin in enumerate(COINS[:3])]
    again = new_router()
    for alert in routed(new_router(), burst):
        again.on_past_alert(alert)
    assert [alert.chat_id for alert in market(routed(again, next_one))] == [1, 2]


def test_the_other_way_is_another_burst():
    down = [signal(number, coin, number) for number, coin in enumerate(COINS[:3])]
    up = [signal(9 + number, coin, number, "up") for number, coin in enumerate(COINS[:3])]
    again = new_router()
    for alert in routed(new_router(), down):
        again.on_past_alert(alert)
    assert [alert.chat_id for alert in market(routed(again, up))] == [1, 2]
    assert market(routed(again, down)) == []
