"""Binance USD-M futures: keyless REST calls and what their bodies say.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Supply, Ticker
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.binance import rest_wire as wire
from foreshock_exchanges.wire import number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, Trade

DEFAULT_FUNDING_H: Final = 8.0

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "TRADING": "trading",
    "PENDING_TRADING": "pending",
    "SETTLING": "closing",
    "PRE_SETTLE": "closing",
    "CLOSE": "closed",
}
_MOST_KLINES: Final = 1500
_KLINE_WEIGHTS: Final = ((99, 1), (499, 2), (1000, 5), (_MOST_KLINES, 10))
_MOST_TRADES: Final = 1000


class BinanceRest(VenueRest):
    """Requests, and readers of their bodies; only USDT-margined perpetuals of coins are kept."""

    name: ClassVar[str] = "binance"
    budget: ClassVar[Budget] = Budget(
        weight=2400, window_s=60.0, used_header="X-MBX-USED-WEIGHT-1M"
    )

    def instruments(self) -> Request:
        """All contracts; its serverTime is hours old, so nobody looks at it."""
        return Request(path="/fapi/v1/exchangeInfo")

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals quoted in USDT; TradFi and dated contracts are left out."""
        return [
            _instrument(row, recv_ms)
            for row in wire.read_exchange_info(body).symbols
            if _is_ours(row)
        ]

    def tickers(self) -> Request:
        """The last 24 hours of all contracts."""
        return Request(path="/fapi/v1/ticker/24hr", weight=40)

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of USDT contracts; volumes are in USDT."""
        return [
            known.ticker(
                row.last_price,
                row.quote_volume,
                row.price_change_percent,
                row.close_time or recv_ms,
            )
            for known, row in self.known(wire.read_tickers(body))
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Mark, index and funding of all contracts."""
        return [Request(path="/fapi/v1/premiumIndex", weight=10)]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for USDT contracts that have a mark price."""
        return [
            known.premium(
                row.mark_price,
                row.index_price,
                number_or_none(row.last_funding_rate),
                row.time or recv_ms,
                next_funding_ms=row.next_funding_time,
            )
            for body in bodies
            for known, row in self.known(wire.read_premiums(body))
            if row.mark_price
        ]

    def funding_intervals(self) -> Request:
        """The contracts whose funding interval was changed from 8 h."""
        return Request(path="/fapi/v1/fundingInfo", weight=1)

    @reader
    def read_funding_intervals(self, body: bytes) -> Mapping[str, float]:
        """Return hours by symbol."""
        return {row.symbol: row.funding_interval_hours for row in wire.read_funding_infos(body)}

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request a contract: Binance has no other."""
        return [
            Request(path="/fapi/v1/openInterest", params=(("symbol", symbol),))
            for symbol in symbols
        ]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the contract's open interest, one-sided."""
        return [
            known.open_contracts(row.open_interest * known.multiplier, row.time or recv_ms)
            for known, row in self.known([wire.read_open_interest(body)])
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract; 1,500 at most."""
        limit = min(limit, _MOST_KLINES)
        weight = next(weight for most, weight in _KLINE_WEIGHTS if limit <= most)
        params = (("symbol", symbol), ("interval", interval), ("limit", str(limit)))
        return Request(path="/fapi/v1/klines", params=params, weight=weight)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        known = self.contracts.one(symbol)
        return [_kline(row, known, interval, recv_ms) for row in wire.read_klines(body)]

    def supply(self, symbol: str) -> Request | None:
        """The newest open-interest statistics, which carry the circulating supply."""
        params = (("symbol", symbol), ("period", "5m"), ("limit", "1"))
        return Request(path="/futures/data/openInterestHist", params=params, weight=0)

    @reader
    def read_supply(self, body: bytes) -> list[Supply]:
        """Return the coin's circulating supply, where Binance knows it."""
        return [
            Supply(coin=known.coin, circulating_coins=row.supply, ts_event_ms=row.timestamp)
            for known, row in self.known(wire.read_open_interest_hist(body))
            if row.supply
        ]

    def trades(self, symbol: str, first: int, last: int) -> Request:
        """Ask for aggregated trades by their numbers; of the last 48 hours, 1,000 at most."""
        limit = min(_MOST_TRADES, last - first + 1)
        params = (("symbol", symbol), ("fromId", str(first)), ("limit", str(limit)))
        return Request(path="/fapi/v1/aggTrades", params=params, weight=20)

    @reader
    def read_trades(self, body: bytes, symbol: str, recv_ms: int) -> list[Trade]:
        """Return the aggregated trades, oldest first."""
        known = self.contracts.one(symbol)
        return [
            known.trade("aggTrade", row.a, "sell" if row.m else "buy", row.p, row.q, row.T, recv_ms)
            for row in wire.read_agg_trades(body)
        ]


def _is_ours(row: wire.Symbol) -> bool:
    perpetual = row.contract_type == "PERPETUAL" and row.underlying_type == "COIN"
    return perpetual and row.quote_asset == "USDT" and row.status in _STATUS


def _instrument(row: wire.Symbol, recv_ms: int) -> Instrument:
    tick = next((f.tick_size for f in row.filters if f.filter_type == "PRICE_FILTER"), None)
    return instrument(
        "binance",
        row.symbol,
        row.base_asset,
        recv_ms,
        quote=row.quote_asset,
        status=_STATUS[row.status],
        tick=tick,
    )


def _kline(row: Any, known: Contract, interval: str, recv_ms: int) -> Kline:
    start_ms, *prices, base, _, quote, trades, _, bought, _ = row
    return candle(
        known,
        interval,
        start_ms,
        prices,
        base * known.multiplier,
        quote,
        recv_ms,
        taker_buy_usd=bought,
        trades=trades,
    )
