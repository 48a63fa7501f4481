"""One exchange's REST host: asked within its budget, and not twice for the same in 30 s."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Final, TypeVar

from foreshock_exchanges.base import Adapter, MalformedMessage
from foreshock_exchanges.rest import OpenContracts, Premium, Request, Supply, Ticker
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import Permanent, leaves
from foreshock_kit.http import HttpClient
from foreshock_schemas.events import Instrument, Kline
from oi_poller import metrics
from oi_poller.domain.costs import poll_weight
from oi_poller.domain.registry import Tiers
from oi_poller.domain.schedule import Recent

T = TypeVar("T")

log = logs.get_logger(__name__)

CACHE_MS: Final = 30_000
_AT_ONCE: Final = 8
_MOST_PAGES: Final = 100


class Venue:
    """Asks one exchange. Every method raises `MalformedMessage` and what `HttpClient` does."""

    def __init__(self, adapter: Adapter, http: HttpClient, clock: Clock) -> None:
        self.name = adapter.name
        self.default_funding_interval_h = adapter.default_funding_interval_h
        self._adapter = adapter
        self._rest = adapter.rest
        self._http = http
        self._clock = clock
        self._recent: Recent[Request, bytes] = Recent(CACHE_MS)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._polls_weight = 0

    async def instruments(self) -> list[Instrument]:
        """Return the venue's contracts; what they are is known to all that is asked later.

        Raises:
            Permanent: It lists none, which is no answer.
        """
        found = [
            contract
            async for body in self._pages(self._rest.instruments())
            for contract in self._rest.read_instruments(body, self._clock.now_ms())
        ]
        if not found:
            raise Permanent(f"{self.name} lists no contracts")
        self._adapter.learn(found)
        return found

    async def tickers(self) -> dict[str, Ticker]:
        """Return the last 24 hours of every contract, by symbol.

        Raises:
            Permanent: There are none, which is no answer.
        """
        found = {
            ticker.symbol: ticker
            async for body in self._pages(self._rest.tickers())
            for ticker in self._rest.read_tickers(body, self._clock.now_ms())
        }
        if not found:
            raise Permanent(f"{self.name} tells of none of its contracts")
        return found

    async def premiums(self, symbols: Sequence[str]) -> dict[str, Premium]:
        """Return mark, index and funding by symbol: of these contracts, maybe of all."""
        bodies = [await self._get(request) for request in self._rest.premiums(symbols)]
        return {p.symbol: p for p in self._rest.read_premiums(bodies, self._clock.now_ms())}

    async def funding_intervals(self) -> Mapping[str, float]:
        """Return the hours between fundings by symbol, where they are not the usual ones."""
        request = self._rest.funding_intervals()
        return self._rest.read_funding_intervals(await self._get(request)) if request else {}

    async def open_interest(self, symbols: Sequence[str]) -> list[OpenContracts]:
        """Return the open interest of these contracts, those that the venue answered for."""
        self._polls_weight = poll_weight(self._rest, symbols)
        try:
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(self._one_of_many(request, self._read_open_interest))
                    for request in self._rest.open_interest(symbols)
                ]
        except ExceptionGroup as failed:
            raise leaves(failed)[0] from failed
        wanted = frozenset(symbols)
        rows = [row for each in asked for row in each.result() if row.symbol in wanted]
        if symbols and not rows:
            raise Permanent(f"{self.name} answered for none of {len(symbols)} contracts")
        return rows

    async def klines(self, symbol: str, interval: str, limit: int) -> list[Kline] | None:
        """Return the newest candles of a contract, oldest first; `None`: the venue has none."""
        if self._rest.klines(symbol, interval, limit, self._clock.now_ms()) is None:
            return None
        found: dict[int, Kline] = {}
        async with aclosing(self.kline_pages(symbol, interval, limit)) as pages:
            async for page in pages:
                found |= {each.start_ms: each for each in page}
        return [found[start_ms] for start_ms in sorted(found)]

    async def kline_pages(
        self, symbol: str, interval: str, limit: int
    ) -> AsyncGenerator[list[Kline], None]:
        """Yield the newest candles of a contract: the newest page first, its oldest candle first.

        Pages are asked for until there are `limit` candles, or no more; there may be none.
        """
        request = self._rest.klines(symbol, interval, limit, self._clock.now_ms())
        if request is None:
            return
        count = 0
        async with aclosing(self._pages(request, self._polls_weight)) as bodies:
            async for body in bodies:
                page = self._rest.read_klines(body, symbol, interval, self._clock.now_ms())
                yield page
                count += len(page)
                if count >= limit:
                    return

    async def tiers(self, symbols: Sequence[str]) -> dict[str, Tiers]:
        """Return the margin tiers of these contracts by symbol, where the venue tells them."""
        found: dict[str, Tiers] = {}
        for request in self._rest.tiers(symbols):
            async for body in self._pages(request, self._polls_weight):
                found |= self._rest.read_tiers(body)
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    async def supply(self, symbol: str) -> list[Supply]:
        """Return the coin's circulating supply, where the venue passes it on."""
        request = self._rest.supply(symbol)
        return await self._one_of_many(request, self._rest.read_supply) if request else []

    def _read_open_interest(self, body: bytes) -> list[OpenContracts]:
        return self._rest.read_open_interest(body, self._clock.now_ms())

    async def _one_of_many(self, request: Request, read: Callable[[bytes], list[T]]) -> list[T]:
        try:
            async with self._slots:
                return read(await self._get(request))
        except (Permanent, MalformedMessage) as e:
            metrics.UNANSWERED.labels(self.name).inc()
            log.warning("request_unanswered", exchange=self.name, reason=str(e))
            return []

    async def _pages(self, request: Request, behind: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the pages of an answer; a part of them is no answer."""
        following: Request | None = request
        for _ in range(_MOST_PAGES):
            if following is None:
                return
            body = await self._get(following, behind)
            yield body
            following = self._rest.next_page(following, body)
        if following is not None:
            raise Permanent(f"{self.name}{request.path} has over {_MOST_PAGES} pages")

    async def _get(self, request: Request, behind: int = 0) -> bytes:
        """Return an answer; what comes `behind` the polls waits for them, whatever they cost.

        It is large, asked for once, and not kept.
        """
        if (kept := self._recent.get(request, self._clock.now_ms())) is not None:
            return kept
        body = await self._ask(request, behind)
        if not behind:
            self._recent.put(request, body, self._clock.now_ms())
        return body

    async def _ask(self, request: Request, behind: int) -> bytes:
        if request.json is not None:
            return await self._http.post(request.path, request.json, request.weight, behind)
        return await self._http.get(request.path, dict(request.params), request.weight, behind)
