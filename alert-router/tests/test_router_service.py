"""What the service writes, and what it keeps to itself."""

import pytest
from prometheus_client import REGISTRY

from alert_router.domain.routing import Router
from alert_router.service import Routing
from foreshock_kit.kafka import Record
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import ALERTS, SIGNALS


class Service:
    """The routing of a batch, with a publisher and a clock to look at."""

    def __init__(self):
        self.clock = FakeClock()
        self.publisher = MemoryPublisher()
        router = Router(300_000, 2)
        router.on_subscription(sample(Subscription, chat_id=1, active=True))
        self.routing = Routing(router, self.publisher, self.clock)
        self.number = 0

    async def read(self, *signals, replayed=False):
        records = [Record(SIGNALS, 0, n, each, replayed) for n, each in enumerate(signals)]
        await self.routing.on_records(records)

    def signal(self, coin, at_ms=0, **changes):
        self.number += 1
        fields = {"coin": coin, "kind": "liquidation", "severity": "warning"}
        now_ms = self.clock.now_ms()
        return sample(
            Signal,
            event_id=f"signal:{self.number}",
            ts_event_ms=now_ms + at_ms,
            ts_recv_ms=now_ms + at_ms,
            **fields | changes,
        )

    @property
    def coins(self):
        return [(alert.coin, alert.held_back) for alert in self.publisher.on(ALERTS)]


@pytest.fixture
def service():
    return Service()


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"foreshock_alert_router_{name}_total", labels) or 0.0


async def test_what_is_replayed_is_known_and_not_written(service):
    past = [service.signal("BTC"), service.signal("ETH")]
    await service.read(*past, replayed=True)
    assert service.coins == []
    await service.read(past[0], service.signal("SOL"))
    assert service.coins == [("MARKET", False)]


async def test_everything_that_is_not_told_is_counted_with_its_reason(service):
    labels = [
        {"kind": "liquidation", "reason": reason}
        for reason in ("repeat", "cooldown", "market_wide", "limit")
    ]
    before = [counted("held_back", **each) for each in labels]
    opened = counted("market_wide")
    first = service.signal("BTC")
    await service.read(first, first, service.signal("BTC"), service.signal("ETH"))
    await service.read(service.signal("SOL"), service.signal("XRP", 400_000))
    after = [counted("held_back", **each) for each in labels]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1]
    assert counted("market_wide") - opened == 1
    assert service.coins == [("BTC", False), ("ETH", False), ("MARKET", False), ("XRP", True)]


async def test_each_state_that_an_incident_reaches_is_counted(service):
    before = counted("incidents", state="CONFIRMED")
    cascade = {"kind": "cascade", "incident_id": "c", "incident_state": "CONFIRMED"}
    await service.read(service.signal("BTC", **cascade), service.signal("BTC", **cascade))
    assert counted("incidents", state="CONFIRMED") - before == 1


@pytest.mark.parametrize("state", ["BUILDING", "CONFIRMED", "FADING", "ENDED"])
def test_incidents_count_from_zero(state):
    assert (
        REGISTRY.get_sample_value("foreshock_alert_router_incidents_total", {"state": state}) >= 0
    )


async def test_what_is_due_is_written_when_nothing_more_comes(service):
    await service.read(*(service.signal(coin) for coin in ("BTC", "ETH", "SOL")))
    service.clock.advance(60.0)
    await service.read(*(service.signal(coin, -40_000) for coin in ("XRP", "DOGE")))
    told = service.coins
    for seconds, written in ((4.9, []), (0.1, [("MARKET", False)]), (30.0, [])):
        service.clock.advance(seconds)
        await service.routing.on_idle()
        assert service.coins == told + written
        told = service.coins
    assert service.publisher.on(ALERTS)[-1].revision == 2
