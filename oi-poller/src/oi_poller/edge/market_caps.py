"""Sources of market capitalisation, each a way to ask all coins at once.

CoinPaprika: https://api.coinpaprika.com/#tag/Tickers (no key, 20,000 calls a month)
CoinGecko: https://docs.coingecko.com/reference/coins-markets (no key, few calls a minute)
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from foreshock_exchanges.base import MalformedMessage
from foreshock_kit import logs
from foreshock_kit.errors import ForeshockError
from foreshock_kit.http import HttpClient
from oi_poller.domain.bundled_caps import bundled
from oi_poller.domain.caps import Cap
from oi_poller.edge.venue import Venue

log = logs.get_logger(__name__)

Caps = Mapping[str, tuple[Cap, ...]]


class _Quote(msgspec.Struct):
    price: float | None = None
    market_cap: float | None = None


class _PaprikaRow(msgspec.Struct):
    symbol: str
    quotes: dict[str, _Quote]


class _GeckoRow(msgspec.Struct):
    symbol: str
    current_price: float | None = None
    market_cap: float | None = None


_paprika_rows = msgspec.json.Decoder(list[_PaprikaRow])
_gecko_rows = msgspec.json.Decoder(list[_GeckoRow])


class MarketCaps:
    """Asks the sources in their order; a source that fails is logged and passed over."""

    def __init__(
        self, order: Sequence[str], venues: Sequence[Venue], hosts: Mapping[str, HttpClient]
    ) -> None:
        self._venues = {venue.name: venue for venue in venues}
        self._hosts = hosts
        there = {"bundled", *hosts, *self._venues}
        self._order = [source for source in order if source in there]
        if left_out := [source for source in order if source not in there]:
            log.debug("market_cap_sources_left_out", sources=left_out)

    async def ask(
        self,
        symbols: Mapping[str, Mapping[str, str]],
        prices: Mapping[str, float],
        now_ms: int,
        until_s: float,
    ) -> list[Caps | None]:
        """Return each source's caps by coin, in order; `None` for a source that failed.

        `symbols` are the contracts to ask for, by venue and coin; `prices` are by coin. A source
        that has not answered until that loop time has failed, and holds up no other.
        """
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(self._answer(source, symbols, prices, now_ms, until_s))
                for source in self._order
            ]
        return [task.result() for task in asking]

    async def _answer(
        self,
        source: str,
        symbols: Mapping[str, Mapping[str, str]],
        prices: Mapping[str, float],
        now_ms: int,
        until_s: float,
    ) -> Caps | None:
        try:
            async with asyncio.timeout_at(until_s):
                return await self._of(source, symbols, prices, now_ms)
        except TimeoutError:
            why = "no answer in time"
        except (ForeshockError, msgspec.DecodeError, MalformedMessage) as e:
            why = str(e)
        log.warning("market_caps_unavailable", source=source, reason=why)
        return None

    async def _of(
        self,
        source: str,
        symbols: Mapping[str, Mapping[str, str]],
        prices: Mapping[str, float],
        now_ms: int,
    ) -> Caps:
        if source == "bundled":
            return bundled()
        if source == "coinpaprika":
            return _grouped(_paprika(await self._hosts[source].get("/v1/tickers", {}), now_ms))
        if source == "coingecko":
            return _grouped(_gecko(await self._hosts[source].get(*_GECKO_PAGE), now_ms))
        return await _of_venue(self._venues[source], symbols.get(source, {}), prices)


_GECKO_PAGE = (
    "/api/v3/coins/markets",
    {"vs_currency": "usd", "order": "market_cap_desc", "per_page": "250", "page": "1"},
)


async def _of_venue(venue: Venue, symbols: Mapping[str, str], prices: Mapping[str, float]) -> Caps:
    caps = []
    for coin, symbol in symbols.items():
        price = prices.get(coin)
        for supply in await venue.supply(symbol) if price else ():
            usd = supply.circulating_coins * (price or 0.0)
            caps.append(
                Cap(coin=coin, usd=usd, price=None, source=venue.name, ts_ms=supply.ts_event_ms)
            )
    return _grouped(caps)


def _paprika(body: bytes, now_ms: int) -> Iterable[Cap]:
    for row in _paprika_rows.decode(body):
        quote = row.quotes.get("USD", _Quote())
        if quote.market_cap:
            yield Cap(
                coin=row.symbol.upper(),
                usd=quote.market_cap,
                price=quote.price,
                source="coinpaprika",
                ts_ms=now_ms,
            )


def _gecko(body: bytes, now_ms: int) -> Iterable[Cap]:
    for row in _gecko_rows.decode(body):
        if row.market_cap:
            yield Cap(
                coin=row.symbol.upper(),
                usd=row.market_cap,
                price=row.current_price,
                source="coingecko",
                ts_ms=now_ms,
            )


def _grouped(caps: Iterable[Cap]) -> Caps:
    found: dict[str, tuple[Cap, ...]] = {}
    for cap in caps:
        found[cap.coin] = (*found.get(cap.coin, ()), cap)
    return found
