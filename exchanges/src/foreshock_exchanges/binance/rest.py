"""Binance USD-M futures: keyless REST calls and what their bodies say.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, ParamSpec, TypeVar

import msgspec

from foreshock_exchanges.base import (
    Budget,
    MalformedFrame,
    OpenContracts,
    Premium,
    Request,
    Supply,
    Ticker,
)
from foreshock_exchanges.binance import rest_wire as wire
from foreshock_schemas.events import Instrument, Kline
from foreshock_schemas.ids import content_id, venue_id
from foreshock_schemas.names import coin_of

DEFAULT_FUNDING_H: Final = 8.0

_QUOTE: Final = "USDT"
_STATUS: Final[dict[str, Literal["trading", "pending", "closing", "closed"]]] = {
    "TRADING": "trading",
    "PENDING_TRADING": "pending",
    "SETTLING": "closing",
    "PRE_SETTLE": "closing",
    "CLOSE": "closed",
}
_KLINE_WEIGHTS: Final = ((99, 1), (499, 2), (1000, 5), (1500, 10))

P = ParamSpec("P")
T = TypeVar("T")


def _reader(read: Callable[P, T]) -> Callable[P, T]:
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as e:
            raise MalformedFrame(f"binance {read.__name__}: {e}") from e

    return reading


class BinanceRest:
    """Requests, and readers of their bodies; only USDT-margined perpetuals of coins are kept."""

    budget: ClassVar[Budget] = Budget(
        weight=2400, window_s=60.0, used_header="X-MBX-USED-WEIGHT-1M"
    )

    def instruments(self) -> Request:
        """All contracts; its serverTime is hours old, so nobody looks at it."""
        return Request(path="/fapi/v1/exchangeInfo")

    @_reader
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

    @_reader
    def read_tickers(self, body: bytes) -> list[Ticker]:
        """Return the tickers of USDT contracts; volumes are in USDT."""
        return [
            Ticker(
                symbol=row.symbol,
                coin=coin,
                last_price=row.last_price / multiplier,
                volume_24h_usd=row.quote_volume,
                change_24h_pct=row.price_change_percent,
                ts_event_ms=row.close_time,
            )
            for row in wire.read_tickers(body)
            if (known := _coin(row.symbol)) is not None
            for coin, multiplier in (known,)
        ]

    def premiums(self) -> Request:
        """Mark, index and funding of all contracts."""
        return Request(path="/fapi/v1/premiumIndex", weight=10)

    @_reader
    def read_premiums(self, body: bytes) -> list[Premium]:
        """Return them for USDT contracts that have a mark price."""
        return [
            Premium(
                symbol=row.symbol,
                coin=coin,
                mark_price=row.mark_price / multiplier,
                index_price=row.index_price / multiplier or None,
                funding_rate=wire.read_rate(row.last_funding_rate),
                next_funding_ms=row.next_funding_time or None,
                ts_event_ms=row.time,
            )
            for row in wire.read_premiums(body)
            if row.mark_price and (known := _coin(row.symbol)) is not None
            for coin, multiplier in (known,)
        ]

    def funding_intervals(self) -> Request:
        """The contracts whose funding interval was changed from 8 h."""
        return Request(path="/fapi/v1/fundingInfo", weight=1)

    @_reader
    def read_funding_intervals(self, body: bytes) -> Mapping[str, float]:
        """Return hours by symbol."""
        return {row.symbol: row.funding_interval_hours for row in wire.read_funding_infos(body)}

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request a contract: Binance has no other."""
        return [
            Request(path="/fapi/v1/openInterest", params=(("symbol", symbol),))
            for symbol in symbols
        ]

    @_reader
    def read_open_interest(self, body: bytes) -> list[OpenContracts]:
        """Return the contract's open interest, one-sided."""
        row: wire.OpenInterestRow = wire.read_open_interest(body)
        known = _coin(row.symbol)
        if known is None:
            return []
        coin, multiplier = known
        return [
            OpenContracts(
                symbol=row.symbol,
                coin=coin,
                open_interest_coins=row.open_interest * multiplier,
                ts_event_ms=row.time,
            )
        ]

    def klines(self, symbol: str, interval: str, limit: int) -> Request:
        """The newest candles of a contract; 1,500 at most."""
        weight = next(weight for most, weight in _KLINE_WEIGHTS if limit <= most)
        params = (("symbol", symbol), ("interval", interval), ("limit", str(limit)))
        return Request(path="/fapi/v1/klines", params=params, weight=weight)

    @_reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        known = _coin(symbol)
        if known is None or interval not in {"15m", "1h"}:
            raise ValueError(f"no candles of {interval} for {symbol}")
        return [_kline(row, symbol, known, interval, recv_ms) for row in wire.read_klines(body)]

    def supply(self, symbol: str) -> Request | None:
        """The newest open-interest statistics, which carry the circulating supply."""
        params = (("symbol", symbol), ("period", "5m"), ("limit", "1"))
        return Request(path="/futures/data/openInterestHist", params=params, weight=0)

    @_reader
    def read_supply(self, body: bytes) -> list[Supply]:
        """Return the coin's circulating supply, where Binance knows it."""
        return [
            Supply(coin=known[0], circulating_coins=row.supply, ts_event_ms=row.timestamp)
            for row in wire.read_open_interest_hist(body)
            if row.supply > 0 and (known := _coin(row.symbol)) is not None
        ]


def _is_ours(row: wire.Symbol) -> bool:
    perpetual = row.contract_type == "PERPETUAL" and row.underlying_type == "COIN"
    return perpetual and row.quote_asset == _QUOTE and row.status in _STATUS


def _instrument(row: wire.Symbol, recv_ms: int) -> Instrument:
    coin, multiplier = coin_of(row.base_asset)
    tick = next((f.tick_size for f in row.filters if f.filter_type == "PRICE_FILTER"), None)
    return Instrument(
        event_id=content_id("binance", row.symbol, "instrument", row.status, multiplier),
        ts_event_ms=recv_ms,
        ts_recv_ms=recv_ms,
        exchange="binance",
        symbol=row.symbol,
        coin=coin,
        quote=row.quote_asset,
        multiplier=multiplier,
        contract_size=1.0,
        tick_size=tick or None,
        status=_STATUS[row.status],
        funding_interval_h=None,
    )


def _coin(symbol: str) -> tuple[str, float] | None:
    base = symbol.removesuffix(_QUOTE)
    return coin_of(base) if base and base != symbol and "_" not in symbol else None


def _kline(row: Any, symbol: str, known: tuple[str, float], interval: Any, recv_ms: int) -> Kline:
    start_ms, opened, high, low, close, base, close_ms, quote, trades, _, bought, _ = row
    coin, multiplier = known
    return Kline(
        event_id=venue_id("binance", symbol, f"kline_{interval}", start_ms),
        ts_event_ms=close_ms + 1,
        ts_recv_ms=recv_ms,
        exchange="binance",
        symbol=symbol,
        coin=coin,
        interval=interval,
        start_ms=start_ms,
        open=opened / multiplier,
        high=high / multiplier,
        low=low / multiplier,
        close=close / multiplier,
        volume_coins=base * multiplier,
        notional_usd=quote,
        taker_buy_usd=bought,
        trades=trades,
    )
