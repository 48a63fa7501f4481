"""Deribit perpetuals: keyless REST calls and what their bodies say.

https://docs.deribit.com/api-reference/market-data/public-get_book_summary_by_currency
Margin rises with a position's size by a formula, not by tiers.
"""

import re
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import ClassVar, Final

from foreshock_exchanges.candles import candle, start_of
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.deribit import wire
from foreshock_schemas.events import Instrument, Kline, Trade

FUNDING_H: Final = 8.0
"""Funding is paid all the time; rates are for 8 hours."""
PERPETUAL: Final = r"[A-Z0-9]{1,20}(_USDC)?-PERPETUAL"

_BASE: Final = "/api/v2/public"
_SUMMARY: Final = f"{_BASE}/get_book_summary_by_currency"
_CURRENCIES: Final = ("USDC", "BTC", "ETH")
"""What perpetuals are settled in; `any` is no currency for summaries."""
_MOST_TRADES: Final = 1000
_MOST_CANDLES: Final = 1000
_RESOLUTIONS: Final = {"15m": "15", "1h": "60"}
_INSTRUMENTS_WEIGHT: Final = 20
_ENDED: Final = {"inactive", "delivered", "archivized"}


class DeribitRest(VenueRest):
    """Requests, and readers of their bodies; only perpetuals of coins are kept.

    Deribit allows 20 requests a second, and one a second for instruments; a quarter of that is
    ours. How long it refuses who asks for more is not documented.
    """

    name: ClassVar[str] = "deribit"
    budget: ClassVar[Budget] = Budget(
        weight=300, window_s=60.0, refused_s=((429, 30.0),), slow_down=r'"code"\s*:\s*10028\b'
    )

    def instruments(self) -> Request:
        """All perpetuals and futures."""
        params = (("currency", "any"), ("kind", "future"))
        return Request(path=f"{_BASE}/get_instruments", params=params, weight=_INSTRUMENTS_WEIGHT)

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals of coins; sizes are for amounts, not for Deribit's contracts."""
        return [
            instrument(
                "deribit",
                row.instrument_name,
                row.base_currency,
                recv_ms,
                quote=row.quote_currency,
                status="trading" if row.is_active and row.state not in _ENDED else "closed",
                inverse=is_inverse(row.instrument_name),
                tick=row.tick_size,
                funding_interval_h=FUNDING_H,
            )
            for row in wire.read_instruments(body).result
            if _is_ours(row)
        ]

    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for the contracts settled in the next currency, if there is one."""
        if request.path != _SUMMARY:
            return None
        following = _CURRENCIES.index(dict(request.params)["currency"]) + 1
        return _summary(_CURRENCIES[following]) if following < len(_CURRENCIES) else None

    def tickers(self) -> Request:
        """The last 24 hours of all contracts, a currency a page."""
        return _summary(_CURRENCIES[0])

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that are known and were ever traded."""
        return [
            known.ticker(
                row.last, row.volume_usd or 0.0, row.price_change or 0.0, row.creation_timestamp
            )
            for known, row in self._summaries(body)
            if row.last
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Mark, index and funding of all contracts, one request a currency."""
        return [_summary(currency) for currency in _CURRENCIES]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that are known; the rate is what the last 8 hours paid."""
        return [
            known.premium(
                row.mark_price,
                row.estimated_delivery_price,
                row.funding_8h,
                row.creation_timestamp,
                funding_interval_h=FUNDING_H,
            )
            for body in bodies
            for known, row in self._summaries(body)
            if row.mark_price
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for each currency that these contracts are settled in."""
        wanted = {_settled_in(symbol) for symbol in symbols}
        return [_summary(currency) for currency in _CURRENCIES if currency in wanted]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest, one-sided; that of inverse contracts is in USD on the wire."""
        return [
            known.open_contracts(
                known.coins(row.mark_price, row.open_interest), row.creation_timestamp
            )
            for known, row in self._summaries(body)
            if row.mark_price
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract, from a time on; we ask for 1,000 at most."""
        start_ms = start_of(interval, min(_MOST_CANDLES, limit), now_ms)
        params = (
            ("instrument_name", symbol),
            ("resolution", _RESOLUTIONS[interval]),
            ("start_timestamp", str(start_ms)),
            ("end_timestamp", str(now_ms)),
        )
        return Request(path=f"{_BASE}/get_tradingview_chart_data", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; Deribit tells coins and money, not takers."""
        known = self.contracts.one(symbol)
        chart = wire.read_chart(body).result
        prices = zip(chart.open, chart.high, chart.low, chart.close, strict=True)
        return [
            candle(known, interval, start_ms, four, coins * known.multiplier, usd, recv_ms)
            for start_ms, four, coins, usd in zip(
                chart.ticks, prices, chart.volume, chart.cost, strict=True
            )
        ]

    def trades(self, symbol: str, first: int, last: int) -> Request:
        """Ask for trades by their numbers; 1,000 at most."""
        params = (
            ("instrument_name", symbol),
            ("start_seq", str(first)),
            ("end_seq", str(last)),
            ("count", str(min(_MOST_TRADES, last - first + 1))),
            ("sorting", "asc"),
        )
        return Request(path=f"{_BASE}/get_last_trades_by_instrument", params=params)

    @reader
    def read_trades(self, body: bytes, symbol: str, recv_ms: int) -> list[Trade]:
        """Return the trades, oldest first."""
        known = self.contracts.one(symbol)
        return [trade_of(known, row, recv_ms) for row in wire.read_trades_body(body).result.trades]

    def _summaries(self, body: bytes) -> Iterator[tuple[Contract, wire.SummaryRow]]:
        return self.known(wire.read_summaries(body).result, attrgetter("instrument_name"))


def is_inverse(symbol: str) -> bool:
    """Return whether a perpetual's amounts are USD (`BTC-PERPETUAL`), not coins."""
    return "_" not in symbol


def trade_of(contract: Contract, row: wire.Trade, recv_ms: int) -> Trade:
    """Return a trade with the number that counts the trades of its contract."""
    return contract.trade(
        "trades", row.trade_seq, row.direction, row.price, row.amount, row.timestamp, recv_ms
    )


def _is_ours(row: wire.InstrumentRow) -> bool:
    is_coin = row.settlement_period == "perpetual" and row.underlying_type == "crypto"
    return is_coin and re.fullmatch(PERPETUAL, row.instrument_name) is not None


def _settled_in(symbol: str) -> str:
    return symbol.partition("-")[0].rpartition("_")[2]


def _summary(currency: str) -> Request:
    return Request(path=_SUMMARY, params=(("currency", currency), ("kind", "future")))
