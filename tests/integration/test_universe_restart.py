"""oi-poller goes on where the last run left the universe: coins no longer followed are told so."""

import asyncio

import pytest

from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.events import MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import MARKET_STATS
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World
from oi_poller.service import SERVICE
from oi_poller.settings import Settings

pytestmark = pytest.mark.broker


async def test_a_coin_that_an_earlier_run_followed_is_told_to_have_left(bootstrap):
    clock = SystemClock()
    now_ms = clock.now_ms()
    async with Publisher(KafkaSettings(kafka_bootstrap_servers=bootstrap), "t", clock) as publisher:
        for coin in ("BTC", "ETH"):
            stats = sample(MarketStats, coin=coin, ts_event_ms=now_ms, ts_recv_ms=now_ms)
            await publisher.send(MARKET_STATS, stats)

    async def followed() -> dict[str, bool]:
        events = [record.event for record in await records_on(bootstrap, MARKET_STATS)]
        return {each.coin: each.in_universe for each in events}

    async def left() -> bool:
        told = await followed()
        return (told["BTC"], told["ETH"]) == (True, False)

    async with serve(World(7, now_ms).venues["binance"], "127.0.0.1", 0) as url:
        settings = Settings(
            kafka_bootstrap_servers=bootstrap,
            exchange_rest_urls=(f"binance={url}",),
            coins=("BTC",),
            market_cap_sources=("bundled",),
        )
        context = Context(SERVICE.name)
        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            group.create_task(SERVICE.run(settings, context))
            try:
                await eventually(left, 20)
            finally:
                context.stop.set()
