"""oi-poller goes on where the last run left it: what is followed no longer is told so."""

import asyncio

import pytest

from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World
from oi_poller.service import SERVICE
from oi_poller.settings import Settings

pytestmark = pytest.mark.broker


async def test_coins_and_contracts_that_an_earlier_run_followed_are_told_to_have_left(bootstrap):
    clock = SystemClock()
    now_ms = clock.now_ms()
    async with Publisher(KafkaSettings(kafka_bootstrap_servers=bootstrap), "t", clock) as publisher:
        for coin in ("BTC", "ETH"):
            stats = sample(MarketStats, coin=coin, ts_event_ms=now_ms, ts_recv_ms=now_ms)
            await publisher.send(MARKET_STATS, stats)
        gone = {"exchange": "binance", "symbol": "GONEUSDT", "status": "trading"}
        contract = sample(Instrument, ts_event_ms=now_ms, ts_recv_ms=now_ms, **gone)
        await publisher.send(INSTRUMENTS, contract)

    async def followed() -> dict[str, bool]:
        events = [record.event for record in await records_on(bootstrap, MARKET_STATS)]
        return {each.coin: each.in_universe for each in events}

    async def left() -> bool:
        told = await followed()
        contracts = [record.event for record in await records_on(bootstrap, INSTRUMENTS)]
        statuses = {each.symbol: each.status for each in contracts}
        ended = (statuses.get("BTCUSDT"), statuses["GONEUSDT"]) == ("trading", "closed")
        return ended and (told["BTC"], told["ETH"]) == (True, False)

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
