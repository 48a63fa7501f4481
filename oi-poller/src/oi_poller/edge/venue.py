"""One exchange's REST host: asked within its budget, and not twice for the same in 30 s."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from foreshock_exchanges.base import Adapter, MalformedMessage
from foreshock_exchanges.rest import OpenContracts, Premium, Request, Supply, Ticker
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import Permanent
from foreshock_kit.http import HttpClient
from foreshock_schemas.events import Instrument, Kline
from oi_poller import metrics
from oi_poller.domain.schedule import Recent

T = TypeVar("T")

log = logs.get_logger(__name__)

CACHE_MS: Final = 30_000
SHARE: Final = 2 / 9
"""Of the venue's limit: two thirds of our own ceiling, which is a third of the limit."""
_AT_ONCE: Final = 8


class Venue:
    """Asks one exchange. Every method raises `MalformedMessage` and what `HttpClient` does."""

    def __init__(self, adapter: Adapter, http: HttpClient, clock: Clock) -> None:
        self.name = adapter.name
        self.default_funding_interval_h = adapter.default_funding_interval_h
        self._rest = adapter.rest
        self._http = http
        self._clock = clock
        self._recent: Recent[Request, bytes] = Recent(CACHE_MS)
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def instruments(self) -> list[Instrument]:
        """Return the venue's contracts."""
        body = await self._get(self._rest.instruments())
        return self._rest.read_instruments(body, self._clock.now_ms())

    async def tickers(self) -> dict[str, Ticker]:
        """Return the last 24 hours of every contract, by symbol."""
        body = await self._get(self._rest.tickers())
        return {t.symbol: t for t in self._rest.read_tickers(body, self._clock.now_ms())}

    async def premiums(self) -> dict[str, Premium]:
        """Return mark, index and funding of every contract, by symbol."""
        bodies = [await self._get(request) for request in self._rest.premiums()]
        return {p.symbol: p for p in self._rest.read_premiums(bodies, self._clock.now_ms())}

    async def funding_intervals(self) -> Mapping[str, float]:
        """Return the hours between fundings by symbol, where they are not the usual ones."""
        request = self._rest.funding_intervals()
        return self._rest.read_funding_intervals(await self._get(request)) if request else {}

    async def open_interest(self, symbols: Sequence[str]) -> list[OpenContracts]:
        """Return the open interest of these contracts, those that the venue answered for."""
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(self._one_of_many(request, self._read_open_interest))
                for request in self._rest.open_interest(symbols)
            ]
        rows = [row for each in asked for row in each.result()]
        if symbols and not rows:
            raise Permanent(f"{self.name} answered for none of {len(symbols)} contracts")
        return rows

    async def klines(self, symbol: str, interval: str, limit: int) -> list[Kline]:
        """Return the newest candles of a contract, oldest first."""
        request = self._rest.klines(symbol, interval, limit, self._clock.now_ms())
        if request is None:
            return []
        body = await self._get(request)
        return self._rest.read_klines(body, symbol, interval, self._clock.now_ms())

    async def supply(self, symbol: str) -> list[Supply]:
        """Return the coin's circulating supply, where the venue passes it on."""
        request = self._rest.supply(symbol)
        return await self._one_of_many(request, self._rest.read_supply) if request else []

    def _read_open_interest(self, body: bytes) -> list[OpenContracts]:
        return self._rest.read_open_interest(body, self._clock.now_ms())

    async def _one_of_many(self, request: Request, read: Callable[[bytes], list[T]]) -> list[T]:
        try:
            return read(await self._get(request))
        except (Permanent, MalformedMessage) as e:
            metrics.UNANSWERED.labels(self.name).inc()
            log.warning("request_unanswered", exchange=self.name, reason=str(e))
            return []

    async def _get(self, request: Request) -> bytes:
        if (kept := self._recent.get(request, self._clock.now_ms())) is not None:
            return kept
        async with self._slots:
            body = await self._http.get(request.path, dict(request.params), request.weight)
        self._recent.put(request, body, self._clock.now_ms())
        return body
