"""Three coins within a minute are the market's matter, told as one."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_router.domain.market_wide import MarketWide
from alert_router.domain.routing import Router
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import SAMPLE_MS, sample


@dataclass
class Market:
    """A router with one chat, and signals by number."""

    router: Router = field(default_factory=lambda: Router(300_000, 60))
    number: int = 0

    def __post_init__(self):
        self.router.on_subscription(sample(Subscription, chat_id=1, active=True))

    def fire(self, coin, at_s, **changes):
        self.number += 1
        routed = self.router.on_signal(signal(self.number, coin, at_s, **changes))
        return [(each.coin, each.revision) for each in routed.alerts]


def signal(number, coin, at_s, **changes):
    fields = {
        "event_id": f"signal:{number}",
        "ts_event_ms": SAMPLE_MS + round(at_s * 1000),
        "coin": coin,
        "kind": "liquidation",
        "severity": "warning",
        "headline": f"{coin}: a lot",
        "value": 2e6,
        "limit": 1e6,
        "unit": "usd",
        "direction": "down",
        "coverage": "full",
    }
    return sample(Signal, **fields | changes)


@pytest.fixture
def market():
    return Market()


@pytest.mark.parametrize(("third_s", "opens"), [(0, True), (60, True), (60.001, False)])
def test_it_opens_at_the_third_coin_within_a_minute(market, third_s, opens):
    assert market.fire("BTC", 0) == [("BTC", 1)]
    assert market.fire("ETH", 0) == [("ETH", 1)]
    assert market.fire("SOL", third_s) == [("MARKET" if opens else "SOL", 1)]


def test_three_signals_of_two_coins_do_not_open_it(market):
    market.fire("BTC", 0)
    market.fire("ETH", 1)
    assert market.fire("BTC", 2, kind="volume_spike") == [("BTC", 1)]


@pytest.mark.parametrize("kind", ["feed", "zone_warning"])
def test_feeds_and_warnings_do_not_count(market, kind):
    market.fire("BTC", 0)
    market.fire("ETH", 0)
    assert market.fire("SOL", 1, kind=kind) == [("SOL", 1)]


@pytest.mark.parametrize("state", ["FADING", "ENDED"])
def test_an_end_does_not_count(market, state):
    market.fire("BTC", 0)
    market.fire("ETH", 0)
    ending = {"kind": "cascade", "incident_id": "c", "incident_state": state}
    assert market.fire("SOL", 1, **ending) == []
    assert market.fire("SOL", 2) == [("MARKET", 1)]


@pytest.mark.parametrize(
    ("ways", "opens", "way"),
    [
        (("down", "down", "up"), False, None),
        (("down", None, "down"), True, "down"),
        (("up", None, None), True, "up"),
        (("up", "down", None), False, None),
        ((None, None, None), True, None),
    ],
)
def test_coins_that_have_a_direction_must_share_it(ways, opens, way):
    machine = MarketWide(lambda _: False)
    joined = [
        machine.take(signal(number, coin, number, direction=to))
        for number, (coin, to) in enumerate(zip(("BTC", "ETH", "SOL"), ways, strict=True))
    ]
    assert (joined[2] is not None) is opens
    if joined[2]:
        assert joined[2].episode.direction == way


def test_it_can_go_both_ways_at_once(market):
    for number, coin in enumerate(("BTC", "ETH", "SOL")):
        market.fire(coin, number)
    for number, coin in enumerate(("BTC", "ETH", "SOL")):
        last = market.fire(coin, 10 + number, direction="up", kind="volume_spike")
    assert last == [("MARKET", 1)]


def test_a_late_signal_counts_where_it_belongs(market):
    market.fire("BTC", 0)
    market.fire("ETH", 70)
    assert market.fire("SOL", 30) == [("SOL", 1)], "BTC and ETH are 70 s apart"
    assert market.fire("XRP", 45) == [("MARKET", 1)]


def test_the_alert_names_the_coins_the_sum_and_the_strongest(market):
    market.fire("BTC", 0, value=4e6)
    market.fire("BTC", 5, value=9e6, kind="cascade", severity="critical")
    market.fire("ETH", 10, kind="volume_spike", value=5e8, direction=None)
    (alert,) = market.router.on_signal(
        signal(99, "SOL", 42, value=3.4e6, coverage="sampled")
    ).alerts
    assert (alert.coin, alert.kind, alert.severity) == ("MARKET", "market_wide", "critical")
    assert alert.title == "MARKET · 3 coins at once, down"
    assert alert.lines == (
        "BTC, SOL, ETH: at least $12.4M liquidated within 42 s",
        "Strongest: BTC: a lot",
        "foreshock explain signal:2",
    )
    assert alert.signal_ids == ("signal:1", "signal:2", "signal:3", "signal:99")


def test_many_coins_are_named_in_part(market):
    for number in range(3):
        market.fire(f"C{number}", 0)
    routed = [market.router.on_signal(signal(100 + n, f"C{n}", 61)) for n in range(3, 20)]
    titles = [alert.title for each in routed for alert in each.alerts]
    assert titles == ["MARKET · 5 coins at once, down (growing)"]
    (alert,) = market.router.on_time(SAMPLE_MS + 200_000).alerts
    assert alert.title == "MARKET · 20 coins at once, down (growing)"
    assert alert.lines[0].endswith("C19 and 8 more: $40M liquidated within 1 min")
    assert alert.lines[2] == "17 more signals since it began"


def test_without_liquidations_there_is_no_sum():
    market = Market()
    for coin in ("BTC", "ETH"):
        market.fire(coin, 0, kind="volume_spike", direction=None)
    (alert,) = market.router.on_signal(signal(9, "SOL", 5, kind="oi_explosion", unit="pct")).alerts
    assert alert.lines[0] == "BTC, ETH, SOL within 5 s"


def opened(market):
    for coin in ("BTC", "ETH", "SOL"):
        market.fire(coin, 0)
    return market


def test_further_coins_are_not_told_one_by_one(market):
    opened(market)
    assert market.fire("XRP", 10) == []
    assert market.router.on_signal(signal(50, "DOGE", 20)).untold == "market_wide"


def test_it_is_told_anew_after_a_minute_and_when_it_has_grown_by_half(market):
    opened(market)
    assert market.fire("XRP", 61) == []
    assert market.fire("DOGE", 62) == [("MARKET", 2)]
    assert market.fire("ADA", 63) == []
    assert market.fire("BTC", 130, value=9e6) == [("MARKET", 3)], "the sum has grown by half"


def test_what_grew_within_the_minute_is_told_at_its_end_by_whatever_comes_next(market):
    opened(market)
    for coin in ("XRP", "DOGE", "ADA"):
        assert market.fire(coin, 20) == []
    assert market.fire("OKX", 59.999, kind="feed") == [("OKX", 1)]
    assert market.fire("OKX", 60, kind="feed", exchanges=("okx",)) == [("MARKET", 2), ("OKX", 1)]


def test_the_clock_tells_the_same_as_the_next_signal_would():
    ways = []
    for by_clock in (True, False):
        market = opened(Market())
        for coin in ("XRP", "DOGE", "ADA"):
            market.fire(coin, 20)
        told = []
        if by_clock:
            assert not market.router.on_time(SAMPLE_MS + 59_999).alerts
            told += market.router.on_time(SAMPLE_MS + 75_000).alerts
            assert not market.router.on_time(SAMPLE_MS + 76_000).alerts
        told += market.router.on_signal(signal(90, "LTC", 100)).alerts
        told += market.router.on_signal(signal(91, "LINK", 121, value=90e6)).alerts
        ways.append(told)
    assert [each.revision for each in ways[0]] == [2, 3]
    assert ways[0] == ways[1]


def test_confirmed_cascades_and_critical_ones_are_told_themselves(market):
    opened(market)
    assert market.fire("XRP", 10, severity="critical") == [("XRP", 1)]
    cascade = {"kind": "cascade", "incident_id": "c"}
    assert market.fire("DOGE", 11, incident_state="BUILDING", **cascade) == []
    assert market.fire("DOGE", 12, incident_state="CONFIRMED", **cascade) == [("DOGE", 2)]
    assert market.fire("DOGE", 13, incident_state="ENDED", **cascade) == [("DOGE", 3)]


def test_the_third_is_told_itself_when_it_is_critical(market):
    market.fire("BTC", 0)
    market.fire("ETH", 0)
    assert market.fire("SOL", 1, severity="critical") == [("MARKET", 1), ("SOL", 1)]


@pytest.mark.parametrize(("pause_s", "joins"), [(300, True), (300.001, False)])
def test_it_is_over_five_minutes_after_the_last(market, pause_s, joins):
    opened(market)
    market.fire("XRP", 30)
    assert (market.fire("DOGE", 30 + pause_s)[0][0] == "MARKET") is joins


def test_it_is_over_after_an_hour(market):
    opened(market)
    for minute in range(1, 61):
        told = market.fire("BTC", minute * 60)
        assert not told or told[0][0] == "MARKET"
    assert market.fire("BTC", 3600.001) == [("BTC", 1)]


def test_who_muted_it_hears_the_coins(market):
    muted = sample(Subscription, chat_id=2, active=True, muted_kinds=("market_wide",))
    market.router.on_subscription(muted)
    opened(market)
    routed = market.router.on_signal(signal(50, "XRP", 5))
    assert [(each.chat_id, each.coin) for each in routed.alerts] == [(2, "XRP")]


COINS = ["BTC", "ETH", "SOL", "XRP"]
WAYS = ["up", "down", None]
STEPS = st.lists(
    st.tuples(st.sampled_from(COINS), st.integers(0, 50), st.sampled_from(WAYS)), max_size=40
)


def dense(seen, last):
    """Return whether three coins go one way within a minute that `last` is in."""
    for way in ("up", "down"):
        same = [each for each in seen if each[2] in (None, way)]
        for start in {at for _, at, _ in same}:
            within = [each for each in same if start <= each[1] <= start + 60]
            if last in within and len({coin for coin, _, _ in within}) >= 3:
                return True
    return False


@given(STEPS)
def test_it_opens_exactly_when_three_coins_fire_within_a_minute(steps):
    machine, seen, at_s = MarketWide(lambda _: False), [], 0
    for number, (coin, pause_s, way) in enumerate(steps):
        at_s += pause_s
        seen.append((coin, at_s, way))
        opens = machine.take(signal(number, coin, at_s, direction=way)) is not None
        assert opens is dense(seen, seen[-1])
        if opens:
            return


@given(st.lists(st.tuples(st.sampled_from(COINS), st.integers(0, 90)), max_size=80))
def test_it_is_never_told_twice_within_a_minute(steps):
    market, at_s, told_ms = Market(), 0, []
    for number, (coin, pause_s) in enumerate(steps):
        at_s += pause_s
        now = signal(number, coin, at_s, value=2.0**number)
        for news in market.router.on_signal(now).news:
            if news.kind == "market_wide" and news.revision.number > 1:
                assert now.ts_event_ms - told_ms[-1] >= 60_000
            if news.kind == "market_wide":
                told_ms.append(news.ts_event_ms)
