"""The two tests that the original requirements name for the enhancements together."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from foreshock_kit.service import Context
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.events import Bar, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import (
    ALERTS,
    BARS,
    LIQUIDATIONS,
    MARKET_STATS,
    SIGNALS,
    SUBSCRIPTIONS,
)
from threshold_service.service import SERVICE
from threshold_service.settings import Settings

pytestmark = pytest.mark.broker


async def test_auto_start_preserves_manual_control(world):
    """Test auto-start doesn't break manual /alerts start/stop"""
    async with world.gateway():
        await world.got("auto-started")
        await world.say("/alerts stop")
        await world.got("Alerts are off.")

    unwanted = world.alert()
    async with world.gateway():
        await world.say("/alerts status")
        await world.got("Alerts are off, set by you")
        before = world.skipped("unwanted")
        await world.publish(ALERTS, unwanted)
        await eventually(lambda: world.skipped("unwanted") > before)
        await world.say("/alerts start")
        await world.got("Alerts are on.")
        wanted = world.alert()
        await world.publish(ALERTS, wanted)
        await world.reached(wanted, "SENT")

    async with world.gateway():
        await world.say("/alerts status")
        await world.got("Alerts are on, set by you")

    await world.got("auto-started", times=1)
    await world.got(unwanted.title, times=0)
    found = [record.event for record in await records_on(world.bootstrap, SUBSCRIPTIONS)]
    mine = [(s.active, s.changed_by) for s in found if s.chat_id == world.chat_id]
    assert mine[-2:] == [(False, "user"), (True, "user")]


async def test_volume_monitoring_alongside_liquidations(world):
    """Test volume monitoring doesn't interfere with existing liquidation detection"""
    with_volume = await signals(world, "WITHVOL", volume=True)
    without = await signals(world, "SANSVOL", volume=False)
    assert [s.kind for s in without] == ["liquidation", "cascade"]
    assert [s.kind for s in with_volume if s.kind != "volume_spike"] == ["liquidation", "cascade"]
    assert [s.kind for s in with_volume].count("volume_spike") == 1
    for one, other in zip(
        [s for s in with_volume if s.kind != "volume_spike"], without, strict=True
    ):
        assert (one.value, one.limit, one.severity) == (other.value, other.limit, other.severity)


async def signals(world, coin: str, *, volume: bool):
    """Return what the real threshold-service makes of one market, by the time of its events."""
    now_ms = world.now_ms() + 60_000  # when the settings of the environment are in force
    async with detecting(world.bootstrap, volume=volume):
        await world.publish(MARKET_STATS, stats(coin, now_ms - 60_000))
        for second in range(5):
            liquidation = world.liquidation(
                coin=coin,
                symbol=f"{coin}USDT",
                notional_usd=1.5e6,
                ts_event_ms=now_ms + second * 1_000,
                ts_recv_ms=now_ms + second * 1_000,
            )
            await world.publish(LIQUIDATIONS, liquidation)
            await world.publish(BARS, bar(coin, now_ms + second * 1_000))

        async def found():
            return [
                record.event
                for record in await records_on(world.bootstrap, SIGNALS)
                if record.event.coin == coin
            ]

        async def all_there() -> bool:
            return len(await found()) >= (3 if volume else 2)

        await eventually(all_there, 20)
        return sorted(await found(), key=lambda s: (s.kind == "cascade", s.ts_event_ms))


@asynccontextmanager
async def detecting(bootstrap: str, *, volume: bool):
    context = Context(SERVICE.name)
    told = Settings(kafka_bootstrap_servers=bootstrap, enable_volume_monitoring=volume)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(SERVICE.run(told, context))
        await eventually(lambda: context.health.ready, 30)
        try:
            yield
        finally:
            context.stop.set()


def stats(coin: str, at_ms: int) -> MarketStats:
    return sample(
        MarketStats,
        event_id=f"stats:{coin}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        coin=coin,
        market_cap_usd=50e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=1e9,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=0.05,
        volatility_ms=at_ms,
    )


def bar(coin: str, start_ms: int) -> Bar:
    return sample(
        Bar,
        ts_event_ms=start_ms + 1_000,
        ts_recv_ms=start_ms + 1_000,
        exchange="binance",
        coin=coin,
        start_ms=start_ms,
        notional_usd=1e7,
        taker_buy_usd=5e6,
    )
