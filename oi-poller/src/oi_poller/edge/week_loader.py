"""A venue's 15-minute candles, loaded in the background for whoever learns from them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final, NoReturn

from foreshock_exchanges.base import MalformedMessage
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError, Refused
from foreshock_kit.kafka import Publishing
from foreshock_schemas.topics import KLINES
from oi_poller.domain.market import Market
from oi_poller.domain.weeks import INTERVAL, Weeks
from oi_poller.edge.venue import Venue

log = logs.get_logger(__name__)

_LOOK_EVERY_S: Final = 5.0
_APART_S: Final = 15.0
"""Between contracts: a week of all at once is more than a small broker likes to hold."""


class WeekLoader:
    """Publishes each candle once, the newest page first. `quiet` returns when nobody else asks."""

    def __init__(
        self,
        venue: Venue,
        market: Market,
        weeks: Weeks,
        publisher: Publishing,
        clock: Clock,
        quiet: Callable[[], Awaitable[None]],
    ) -> None:
        self._venue = venue
        self._market = market
        self._weeks = weeks
        self._publisher = publisher
        self._clock = clock
        self._quiet = quiet

    async def run(self) -> NoReturn:
        """Load what is missing, contract by contract, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self._round()

    async def _round(self) -> None:
        name = self._venue.name
        for symbol in self._market.symbols(name).values():
            count = self._weeks.missing(symbol, self._clock.now_ms())
            if not count:
                continue
            try:
                await self._load(symbol, count)
            except (ForeshockError, MalformedMessage) as e:
                log.warning("week_unavailable", exchange=name, symbol=symbol, reason=str(e))
                if isinstance(e, Refused):
                    return
                self._weeks.put_off(symbol, self._clock.now_ms())
            await asyncio.sleep(_APART_S)

    async def _load(self, symbol: str, count: int) -> None:
        await self._quiet()
        async with aclosing(self._venue.kline_pages(symbol, INTERVAL, count)) as pages:
            async for page in pages:
                for kline in self._weeks.add(symbol, page, self._clock.now_ms()):
                    await self._publisher.publish(KLINES, kline)
                await self._quiet()
        self._weeks.complete(symbol, self._clock.now_ms())
