"""Wiring: venues and sources asked on the minute, answers onto Kafka."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from foreshock_exchanges import load
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publisher
from foreshock_kit.service import Context, Service
from oi_poller.domain.market import Market
from oi_poller.domain.schedule import until_next
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import Poller
from oi_poller.edge.venue import SHARE, Venue
from oi_poller.settings import Settings

_CONTRACTS_EVERY: Final = 60
_FIRST_TRY_S: Final = 5
_SOURCE_CALLS_A_MINUTE: Final = 5


async def run(settings: Settings, context: Context) -> None:
    """Poll at start, then on every minute, until told to stop."""
    context.ready("kafka", ok=False, why="not connected yet")
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(
            Publisher(settings, context.name, context.clock, stop=context.stop)
        )
        context.ready("kafka")
        venues = [await _venue(name, settings, context, stack) for name in settings.exchanges]
        hosts = {
            "coinpaprika": await _source(settings.coinpaprika_url, context, stack),
            "coingecko": await _source(settings.coingecko_url, context, stack),
        }
        caps = MarketCaps(settings.market_cap_sources, venues, hosts)
        market = Market(settings.coins, settings.coins_top)
        poller = Poller(venues, caps, market, publisher, context.clock)
        async with asyncio.TaskGroup() as group:
            polling = group.create_task(_poll(poller, market, settings, context))
            await context.stop.wait()
            polling.cancel()


async def _poll(poller: Poller, market: Market, settings: Settings, context: Context) -> None:
    polls = 0
    while True:
        if polls % _CONTRACTS_EVERY == 0 or not market.universe:
            await poller.refresh_contracts()
        await poller.poll()
        polls += 1
        every_s = settings.oi_poll_s if market.universe else _FIRST_TRY_S
        await asyncio.sleep(until_next(context.clock.now_ms(), every_s))


async def _venue(name: str, settings: Settings, context: Context, stack: AsyncExitStack) -> Venue:
    adapter = load(name)
    budget = adapter.rest.budget
    http = HttpClient(
        settings.rest_url(name, adapter.rest_url),
        budget_weight=int(budget.weight * SHARE),
        budget_window_s=budget.window_s,
        used_header=budget.used_header,
        clock=context.clock,
    )
    return Venue(adapter, await stack.enter_async_context(http), context.clock)


async def _source(url: str, context: Context, stack: AsyncExitStack) -> HttpClient:
    http = HttpClient(
        url, budget_weight=_SOURCE_CALLS_A_MINUTE, budget_window_s=60.0, clock=context.clock
    )
    return await stack.enter_async_context(http)


SERVICE = Service("oi-poller", Settings, run)
