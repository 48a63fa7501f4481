"""Who hears what, and how often."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.routing import NEWS_FOR_MS, Router
from foreshock_schemas.events import Evidence, Signal, Subscription

COOLDOWN_MS = 300_000
PER_DAY = 60
T0 = 1_790_000_000_000


def signal(number=0, at_ms=0, **changes):
    fields = {
        "event_id": f"signal:{number}",
        "ts_event_ms": T0 + at_ms,
        "ts_recv_ms": T0 + at_ms + 20,
        "coin": "BTC",
        "kind": "cascade",
        "severity": "warning",
        "headline": "BTC: $12.4M of longs liquidated in 60 s",
        "reasons": ("limit $3.1M",),
        "value": 12.4e6,
        "limit": 3.1e6,
        "unit": "usd",
        "window_s": 60,
        "position": "long",
        "direction": "down",
        "price": 83_434.4,
        "method": "baseline_prd",
        "exchanges": ("binance",),
        "coverage": "full",
        "evidence": (
            Evidence(topic="foreshock.liquidations.v1", partition=3, offset=7, event_id="x"),
        ),
    }
    return Signal(**fields | changes)


def subscription(chat_id=1, **changes):
    fields = {
        "event_id": f"sub:{chat_id}",
        "ts_event_ms": T0,
        "ts_recv_ms": T0,
        "chat_id": chat_id,
        "active": True,
        "changed_by": "user",
        "announced": True,
    }
    return Subscription(**fields | changes)


class Asked:
    """A router that is asked for the alerts of a signal."""

    def __init__(self, *chats):
        self.router = Router(COOLDOWN_MS, PER_DAY)
        for chat in chats:
            self.on_subscription(chat)

    def on_subscription(self, subscription):
        self.router.on_subscription(subscription)

    def on_signal(self, signal):
        return self.router.on_signal(signal).alerts


@pytest.fixture
def router():
    return Asked(subscription())


def test_an_alert_carries_what_the_signal_says(router):
    (alert,) = router.on_signal(signal())
    assert alert.title == "BTC · Liquidation cascade"
    assert alert.lines == (
        "BTC: $12.4M of longs liquidated in 60 s",
        "",
        "limit $3.1M",
        "",
        "foreshock explain signal:0",
    )
    assert alert.signal_ids == ("signal:0",)
    assert (alert.ts_event_ms, alert.ts_recv_ms) == (T0, T0 + 20)
    assert alert.expires_ms == T0 + 20 + NEWS_FOR_MS


def test_every_active_chat_gets_its_own_alert(router):
    router.on_subscription(subscription(2))
    router.on_subscription(subscription(3, active=False))
    alerts = router.on_signal(signal())
    assert [a.chat_id for a in alerts] == [1, 2]
    assert len({a.event_id for a in alerts}) == 2
    assert len({a.incident_id for a in alerts}) == 1


@pytest.mark.parametrize(
    ("wish", "heard"),
    [
        ({"minimum_severity": "critical"}, False),
        ({"minimum_severity": "warning"}, True),
        ({"coins": ("ETH",)}, False),
        ({"coins": ("BTC", "ETH")}, True),
        ({"muted_kinds": ("cascade",)}, False),
        ({"muted_kinds": ("feed",)}, True),
    ],
)
def test_a_chat_hears_only_what_it_wants(router, wish, heard):
    router.on_subscription(subscription(**wish))
    assert bool(router.on_signal(signal())) is heard


def test_the_whole_market_concerns_every_chat(router):
    router.on_subscription(subscription(coins=("ETH",)))
    assert router.on_signal(signal(coin="MARKET", kind="feed"))


def test_a_repeat_is_no_news(router):
    assert router.on_signal(signal())
    assert not router.on_signal(signal(at_ms=COOLDOWN_MS + 1))


def test_within_the_cooldown_more_of_the_same_is_held_back_and_counted(router):
    assert router.on_signal(signal(0))
    assert not router.on_signal(signal(1, at_ms=COOLDOWN_MS - 1))
    (later,) = router.on_signal(signal(2, at_ms=COOLDOWN_MS))
    assert later.lines[-2] == "1 more like it were held back (one per 5 min)."


@pytest.mark.parametrize("other", [{"coin": "ETH"}, {"kind": "volume_spike"}])
def test_another_coin_or_kind_has_its_own_cooldown(router, other):
    assert router.on_signal(signal(0))
    assert router.on_signal(signal(1, **other))


def test_a_rise_in_severity_revises_the_incident(router):
    (first,) = router.on_signal(signal(0))
    (second,) = router.on_signal(signal(1, at_ms=1000, severity="critical"))
    assert second.incident_id == first.incident_id
    assert second.revision == 2
    assert second.title == "BTC · Liquidation cascade (rising)"
    assert not router.on_signal(signal(2, at_ms=2000, severity="warning"))


def test_a_rise_tells_what_was_held_back_and_counts_anew(router):
    router.on_signal(signal(0))
    router.on_signal(signal(1, at_ms=1))
    (risen,) = router.on_signal(signal(2, at_ms=2, severity="critical"))
    assert risen.lines[-2].startswith("1 more like it")
    (later,) = router.on_signal(signal(3, at_ms=COOLDOWN_MS))
    assert not any("held back" in line for line in later.lines)


def test_what_nobody_hears_starts_no_cooldown():
    router = Asked()
    assert not router.on_signal(signal(0))
    router.on_subscription(subscription())
    assert router.on_signal(signal(1, at_ms=1))


def test_a_sum_over_a_sampled_feed_is_called_a_floor(router):
    (alert,) = router.on_signal(signal(coverage="sampled"))
    assert alert.lines[-3].endswith("totals are a floor.")


def test_trouble_of_a_feed_is_no_sum(router):
    (alert,) = router.on_signal(signal(kind="feed", coverage="unknown"))
    assert not any("floor" in line for line in alert.lines)


@given(st.lists(st.integers(0, 2_000_000), max_size=60).map(sorted))
def test_one_alert_per_cooldown_at_equal_severity(times):
    router = Asked(subscription())
    told = [
        each.ts_event_ms
        for number, at in enumerate(times)
        for each in router.on_signal(signal(number, at))
    ]
    assert all(b - a >= COOLDOWN_MS for a, b in pairwise(told))


def test_feeds_of_two_exchanges_are_told_apart_and_so_is_the_end_of_trouble(router):
    def trouble(number, exchange, severity="warning"):
        return signal(number, kind="feed", exchanges=(exchange,), severity=severity)

    assert router.on_signal(trouble(1, "okx"))
    assert router.on_signal(trouble(2, "bybit"))
    assert not router.on_signal(trouble(3, "okx")), "more of the same"
    assert router.on_signal(trouble(4, "okx", "info")), "it is over"


def test_what_gives_no_alert_says_why(router):
    def untold(each):
        return router.router.on_signal(each).untold

    assert untold(signal(0)) is None
    assert untold(signal(0)) == "repeat"
    assert untold(signal(1)) == "cooldown"
    router.on_subscription(subscription(muted_kinds=("cascade",)))
    assert untold(signal(2, coin="ETH")) == "unwanted"
