"""Kraken Futures: keyless REST calls and what their bodies say.

https://docs.kraken.com/api-reference/instrument-details/get-instruments
https://docs.kraken.com/api/docs/futures-api/trading/get-tickers
https://docs.kraken.com/exchange/guides/futures/ratelimits
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.kraken import products, wire
from foreshock_exchanges.wire import millis
from foreshock_schemas.events import Instrument, MarginTier

FUNDING_H: Final = 1.0
_HOUR_MS: Final = 3_600_000


class KrakenRest(VenueRest):
    """Requests, and readers of their bodies; only perpetuals of coins against USD are kept.

    There are no candles: the venue's tell prices and a volume, and not the money. Public calls
    cost nothing of the 500 that Kraken allows `/derivatives` in 10 s; a fifth of that is ours.
    """

    name: ClassVar[str] = "kraken"
    budget: ClassVar[Budget] = Budget(weight=100, window_s=10.0)

    def instruments(self) -> Request:
        """All products."""
        return Request(path="/derivatives/api/v3/instruments")

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals; what is dated, an index, or a share of a company is left out."""
        listed = wire.read_products(body)
        return [
            instrument(
                self.name,
                products.normal(row.symbol),
                base,
                recv_ms,
                quote="USD",
                status="trading" if row.tradeable else "closed",
                size=row.contract_size,
                inverse=inverse,
                tick=row.tick_size,
                funding_interval_h=FUNDING_H,
                tiers=_tiers(row),
            )
            for row in listed.instruments
            if (found := products.perpetual(row.symbol)) and not _is_tradfi(row)
            for base, inverse in [found]
        ]

    def tickers(self) -> Request:
        """The figures of all products."""
        return _TICKERS

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of perpetuals that have traded; volumes are in contracts."""
        return [
            known.ticker(
                row.last, known.usd(row.last, row.vol24h or 0.0), row.change24h or 0.0, at_ms
            )
            for known, row, at_ms in self._rows(body)
            if row.last
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """The figures of all products."""
        return [_TICKERS]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for perpetuals that have a mark; the next funding is on the hour."""
        return [
            known.premium(
                mark,
                row.index_price,
                _funding_share(known, row.funding_rate, mark),
                at_ms,
                funding_interval_h=FUNDING_H,
                next_funding_ms=(at_ms // _HOUR_MS + 1) * _HOUR_MS,
            )
            for body in bodies
            for known, row, at_ms in self._rows(body)
            if (mark := row.mark_price)
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """The figures of all products."""
        return [_TICKERS]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of all perpetuals that have a mark."""
        return [
            known.open_contracts(known.coins(mark, row.open_interest), at_ms)
            for known, row, at_ms in self._rows(body)
            if (mark := row.mark_price) and row.open_interest is not None
        ]

    def _rows(self, body: bytes) -> Iterator[tuple[Contract, wire.TickerRow, int]]:
        told = wire.read_tickers(body)
        at_ms = millis(told.server_time)
        for known, row in self.known(told.tickers, lambda row: products.normal(row.symbol)):
            yield known, row, at_ms


_TICKERS: Final = Request(path="/derivatives/api/v3/tickers")


# A tokenised share keeps its small x among capitals: PF_AAPLxUSD.
def _is_tradfi(row: wire.Product) -> bool:
    return row.tradfi or row.symbol not in {row.symbol.upper(), row.symbol.lower()}


# Levels begin at contracts of 1 USD each, or at USD ("non-contract units").
def _tiers(row: wire.Product) -> tuple[MarginTier, ...]:
    return margin_tiers(
        (
            level.contracts or level.num_non_contract_units or 0.0,
            level.maintenance_margin,
            1 / level.initial_margin,
        )
        for level in row.margin_levels
    )


# The venue tells what one contract pays in an hour: coins for the USD of an inverse contract,
# USD for the coins of a linear one.
def _funding_share(known: Contract, rate: float | None, mark: float) -> float | None:
    if rate is None:
        return None
    return rate * mark if known.inverse else rate / mark
