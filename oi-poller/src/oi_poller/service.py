"""Wiring: venues and sources asked on the minute, answers onto Kafka."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from foreshock_exchanges import load
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publisher, Record, follow
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import MarketStats
from foreshock_schemas.topics import MARKET_STATS
from oi_poller.domain.market import Market
from oi_poller.domain.schedule import until_next
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import Poller
from oi_poller.edge.venue import SHARE, Venue
from oi_poller.settings import Settings

_FIRST_TRY_S: Final = 5

_log = get_logger(__name__)

_SOURCE_CALLS_A_MINUTE: Final = 5


async def run(settings: Settings, context: Context) -> None:
    """Poll at start, then on every minute, until told to stop."""
    market = Market(settings.coins, settings.coins_top)
    context.ready("kafka", ok=False, why="not connected yet")
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(
            Publisher(settings, context.name, context.clock, stop=context.stop)
        )
        await _recall(market, settings, context)
        if context.stop.is_set():  # what is known may be half of it
            return
        context.ready("kafka")
        venues = [await _venue(name, settings, context, stack) for name in settings.exchanges]
        hosts = {
            "coinpaprika": await _source(settings.coinpaprika_url, context, stack),
            "coingecko": await _source(settings.coingecko_url, context, stack),
        }
        caps = MarketCaps(settings.market_cap_sources, venues, hosts)
        poller = Poller(venues, caps, market, publisher, context.clock)
        async with asyncio.TaskGroup() as group:
            polled = asyncio.Event()
            tasks = [
                group.create_task(_poll(poller, market, polled, settings, context)),
                group.create_task(_catch_up(poller, polled)),
            ]
            await context.stop.wait()
            for task in tasks:
                task.cancel()


async def _recall(market: Market, settings: Settings, context: Context) -> None:
    """Take up the universe where the last run left it: whatever has left since is told so."""
    caught_up = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(
            follow(
                settings,
                context,
                [MARKET_STATS],
                partial(_on_stats, market),
                since_ms={MARKET_STATS.name: None},
                caught_up=caught_up,
            )
        )
        reading.add_done_callback(lambda _: caught_up.set())
        await caught_up.wait()
        reading.cancel()


def _on_stats(market: Market, record: Record) -> None:
    if isinstance(record.event, MarketStats):
        market.recall(record.event)


async def _poll(
    poller: Poller, market: Market, polled: asyncio.Event, settings: Settings, context: Context
) -> None:
    told: list[str] = []
    while True:
        await poller.poll()
        polled.set()
        told = _tell_unlisted(market, context, told)
        every_s = settings.oi_poll_s if market.listed else _FIRST_TRY_S
        await asyncio.sleep(until_next(context.clock.now_ms(), every_s))


def _tell_unlisted(market: Market, context: Context, told: list[str]) -> list[str]:
    """Warn of coins asked for that no exchange lists; without any other there is no work."""
    unlisted = market.unlisted()
    if unlisted != told:
        _log.warning("coins_not_listed", coins=unlisted)
    why = f"no exchange lists {', '.join(unlisted)}: look at COINS"
    context.ready("universe", ok=bool(market.universe) or not unlisted, why=why)
    return unlisted


async def _catch_up(poller: Poller, polled: asyncio.Event) -> None:
    """Catch up after each poll, in a task of its own: no poll waits for it."""
    while True:
        await polled.wait()
        polled.clear()
        await poller.catch_up()


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
