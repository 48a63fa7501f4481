"""Wiring: frames to trades, trades to one-second bars, both to Kafka."""

from contextlib import AsyncExitStack

from foreshock_exchanges import load
from foreshock_exchanges.base import Adapter
from foreshock_kit.clock import Clock
from foreshock_kit.feeds import run_desks
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publishing
from foreshock_kit.limits import Host, limit_of
from foreshock_kit.service import Context, Service
from foreshock_kit.universe import Universe
from ingest_trades.edge.backfill import SHARE
from ingest_trades.edge.desk import TradeDesk
from ingest_trades.settings import Settings


async def run(settings: Settings, context: Context) -> None:
    """Follow the trades of every exchange configured until told to stop, then flush."""
    async with AsyncExitStack() as stack:
        adapters = {name: load(name) for name in settings.exchanges}
        hosts = {
            name: await stack.enter_async_context(_host(adapter, settings, context.clock))
            for name, adapter in adapters.items()
            if adapter.gapless and settings.backfill
        }

        def desk_of(name: str, universe: Universe, publisher: Publishing) -> TradeDesk:
            url = settings.ws_url(name, adapters[name].ws_url)
            host = hosts.get(name)
            return TradeDesk(adapters[name], url, universe, publisher, context.clock, host)

        await run_desks(settings, context, desk_of)


def _host(adapter: Adapter, settings: Settings, clock: Clock) -> HttpClient:
    limits = Host(limit_of(adapter.rest.budget, SHARE), clock)
    return HttpClient(settings.rest_url(adapter.name, adapter.rest_url), limits)


SERVICE = Service("ingest-trades", Settings, run)
