"""The router as a whole on a real broker: stopped and started in the middle of what it tells."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from alert_router.domain.routing import Router
from alert_router.service import SERVICE
from alert_router.settings import Settings
from foreshock_kit.service import Context
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import ALERTS, SIGNALS

pytestmark = pytest.mark.broker

PER_DAY = 5
HOUR_MS = 3_600_000


@asynccontextmanager
async def router(world):
    """Run the router's service while the block runs, until it has read what there was."""
    context = Context(SERVICE.name)
    told = Settings(kafka_bootstrap_servers=world.bootstrap, alerts_per_day=PER_DAY)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(SERVICE.run(told, context))
        await eventually(lambda: context.health.ready)
        yield
        context.stop.set()


def history(start_ms):
    """A cascade, a market-wide incident, more than a day's limit, and the cascade's end."""

    def signal(number, at_s, coin, state=None, **changes):
        return sample(
            Signal,
            event_id=f"signal:{start_ms}:{number}",
            ts_event_ms=start_ms + at_s * 1000,
            ts_recv_ms=start_ms + at_s * 1000,
            coin=coin,
            kind="cascade" if state else "liquidation",
            severity="warning",
            incident_id=f"cascade:{start_ms}" if state else None,
            incident_state=state,
            **changes,
        )

    return [
        signal(0, 0, "BTC", "BUILDING"),
        signal(1, 10, "ETH"),
        signal(2, 20, "SOL"),
        signal(3, 30, "BTC", "CONFIRMED"),
        signal(4, 90, "XRP"),
        signal(5, 95, "DOGE"),
        signal(6, 1_000, "ETH"),
        signal(7, 1_400, "ETH"),
        signal(8, 1_500, "BTC", "ENDED"),
        signal(9, 1_800, "ETH", direction="up"),
    ]


async def alerts(world):
    found = [record.event for record in await records_on(world.bootstrap, ALERTS)]
    return [alert for alert in found if alert.chat_id == world.chat_id]


@pytest.mark.parametrize("dies_after", [2, 5, 8])
async def test_a_restart_changes_nothing_of_what_is_told(world, dies_after):
    await world.subscribe()
    signals = history(world.now_ms() - (8 - dies_after) // 3 * 26 * HOUR_MS)
    pure = Router(300_000, PER_DAY)
    pure.on_subscription(sample(Subscription, chat_id=world.chat_id, active=True))
    expected = []

    async def publish(part):
        for each in part:
            expected.extend(pure.on_signal(each).alerts)
            await world.publish(SIGNALS, each)
            await eventually(told_so_far)

    async def told_so_far():
        return len(await alerts(world)) >= len(expected)

    async with router(world):
        await publish(signals[:dies_after])
    async with router(world):
        await publish(signals[dies_after - 1 : dies_after])
        await publish(signals[dies_after:])
    assert await alerts(world) == expected
    assert [(a.kind, a.incident_state, a.held_back) for a in expected] == [
        ("cascade", "BUILDING", False),
        ("liquidation", None, False),
        ("market_wide", None, False),
        ("cascade", "CONFIRMED", False),
        ("market_wide", None, False),
        ("liquidation", None, True),
        ("liquidation", None, True),
        ("cascade", "ENDED", False),
        ("liquidation", None, True),
    ]
