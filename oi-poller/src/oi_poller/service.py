"""Wiring: venues and sources asked on the minute, answers onto Kafka."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from foreshock_exchanges import load
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publisher, Record, follow
from foreshock_kit.limits import Host, Limit, limit_of
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS
from oi_poller.domain.costs import SHARE
from oi_poller.domain.market import Market
from oi_poller.domain.schedule import until_next
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import POLL_S, Poller
from oi_poller.edge.venue import Venue
from oi_poller.edge.venue_poll import VenuePoll
from oi_poller.settings import Settings

_FIRST_TRY_S: Final = 5
_PATIENCE: Final = 5 / 6
"""Of the time between polls: a poll that takes longer is given up, for the next to be in time."""

_log = get_logger(__name__)

_SOURCE_CALLS_A_MINUTE: Final = 5


async def run(settings: Settings, context: Context) -> None:
    """Poll at start, then on every minute, until told to stop."""
    market = Market(settings.exchanges, settings.coins, settings.coins_top)
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
        poller = Poller(venues, caps, market, publisher, context.clock, settings.oi_poll_s * 1000)
        await poll(poller, market, settings, context)
        await poller.stopped()


async def poll(poller: Poller, market: Market, settings: Settings, context: Context) -> None:
    """Poll each venue on its own, and catch up behind the polls, until told to stop."""
    polled = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_keep_polling(poller, venue, market, polled, settings, context))
            for venue in poller.polls
        ]
        tasks.append(group.create_task(_catch_up(poller, market, polled, context)))
        tasks += [group.create_task(each) for each in (poller.repeat(), poller.load_weeks())]
        await context.stop.wait()
        for task in tasks:
            task.cancel()


async def _recall(market: Market, settings: Settings, context: Context) -> None:
    """Take up the universe where the last run left it: what has left since is told so."""
    caught_up = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(
            follow(
                settings,
                context,
                [MARKET_STATS, INSTRUMENTS],
                partial(_on_record, market),
                since_ms={MARKET_STATS.name: None, INSTRUMENTS.name: None},
                caught_up=caught_up,
            )
        )
        reading.add_done_callback(lambda _: caught_up.set())
        await caught_up.wait()
        reading.cancel()


def _on_record(market: Market, record: Record) -> None:
    if isinstance(record.event, (Instrument, MarketStats)):
        market.recall(record.event)


async def _keep_polling(
    poller: Poller,
    venue: VenuePoll,
    market: Market,
    polled: asyncio.Event,
    settings: Settings,
    context: Context,
) -> None:
    """Poll one venue on every minute, sooner while no venue lists anything: none waits."""
    tries_s = _FIRST_TRY_S
    patience_s = min(POLL_S, settings.oi_poll_s * _PATIENCE)
    while True:
        await poller.poll(venue, patience_s)
        polled.set()
        if market.listed or tries_s >= settings.oi_poll_s:
            tries_s = settings.oi_poll_s
        await asyncio.sleep(until_next(context.clock.now_ms(), tries_s))
        tries_s *= 2


def _tell_unlisted(market: Market, context: Context, told: list[str]) -> list[str]:
    """Warn of coins asked for that no exchange lists; without any other there is no work."""
    unlisted = market.unlisted()
    if unlisted != told:
        _log.warning("coins_not_listed", coins=unlisted)
    why = f"no exchange lists {', '.join(unlisted)}: look at COINS"
    context.ready("universe", ok=bool(market.universe) or not unlisted, why=why)
    return unlisted


async def _catch_up(
    poller: Poller, market: Market, polled: asyncio.Event, context: Context
) -> None:
    """Catch up after polls, in a task of its own: no poll waits for it."""
    told: list[str] = []
    while True:
        await polled.wait()
        polled.clear()
        told = _tell_unlisted(market, context, told)
        await poller.catch_up()


async def _venue(name: str, settings: Settings, context: Context, stack: AsyncExitStack) -> Venue:
    adapter = load(name)
    limit = limit_of(adapter.rest.budget, SHARE)
    http = HttpClient(settings.rest_url(name, adapter.rest_url), Host(limit, context.clock))
    return Venue(adapter, await stack.enter_async_context(http), context.clock)


async def _source(url: str, context: Context, stack: AsyncExitStack) -> HttpClient:
    limit = Limit(weight=_SOURCE_CALLS_A_MINUTE, window_s=60.0)
    return await stack.enter_async_context(HttpClient(url, Host(limit, context.clock)))


SERVICE = Service("oi-poller", Settings, run)
