"""Bitget USDT perpetuals: keyless REST calls and what their bodies say.

https://www.bitget.com/api-doc/uta/public/Instruments
https://www.bitget.com/api-doc/uta/public/Get-Candle-Data
https://www.bitget.com/api-doc/contract/position/Get-Query-Position-Lever
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.bitget import wire
from foreshock_exchanges.wire import amount_or_none, hours_or_none, number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, MarginTier

_MARKET: Final = ("category", "USDT-FUTURES")
_MARKET_V2: Final = ("productType", "USDT-FUTURES")
_INTERVALS: Final = {"15m": "15m", "1h": "1H"}
_CANDLES: Final = "/api/v3/market/candles"
_CANDLES_A_PAGE: Final = 100
_TICKERS: Final = Request(path="/api/v3/market/tickers", params=(_MARKET,))

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "online": "trading",
    "restrictedAPI": "trading",
    "limit_open": "closing",
    "limit_close": "closing",
    "offline": "closed",
}


class BitgetRest(VenueRest):
    """Requests, and readers of their bodies; only USDT-margined perpetuals of coins are kept.

    Bitget allows 20 requests a second for most calls; a quarter of that for all is ours. How
    long it refuses who asks for more is not documented.
    """

    name: ClassVar[str] = "bitget"
    candles_a_page: ClassVar[int] = _CANDLES_A_PAGE
    budget: ClassVar[Budget] = Budget(weight=300, window_s=60.0, refused_s=((429, 60.0),))

    def instruments(self) -> Request:
        """All contracts."""
        return Request(path="/api/v3/market/instruments", params=(_MARKET,))

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals of coins; dated ones, stocks and metals are left out."""
        return [
            instrument(
                "bitget",
                row.symbol,
                row.base_coin,
                recv_ms,
                quote=row.quote_coin,
                status=_STATUS[row.status],
                tick=amount_or_none(row.price_multiplier),
                funding_interval_h=hours_or_none(row.fund_interval),
            )
            for row in wire.read_instruments(body).data
            if _is_ours(row)
        ]

    def tickers(self) -> Request:
        """The last 24 hours of all contracts."""
        return _TICKERS

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that are known; volumes are in USDT."""
        return [
            known.ticker(row.last_price, row.turnover_24h, row.price_24h_pcnt * 100, row.ts)
            for known, row in self.known(wire.read_tickers(body).data)
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Tickers tell them, too; funding intervals come with the instruments."""
        return [_TICKERS]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that are known and have a mark price."""
        return [
            known.premium(row.mark_price, row.index_price, number_or_none(row.funding_rate), row.ts)
            for body in bodies
            for known, row in self.known(wire.read_tickers(body).data)
            if row.mark_price
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all contracts."""
        return [_TICKERS] if symbols else []

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest in coins; taken as one-sided, which Bitget does not say."""
        return [
            known.open_contracts(row.open_interest * known.multiplier, row.ts)
            for known, row in self.known(wire.read_tickers(body).data)
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract: 100 a page, and of 1,000 in all."""
        params = (
            _MARKET,
            ("symbol", symbol),
            ("interval", _INTERVALS[interval]),
            ("limit", str(min(limit, _CANDLES_A_PAGE))),
        )
        return Request(path=_CANDLES, params=params)

    @reader
    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for candles older than a full page of them."""
        if request.path != _CANDLES or ("limit", str(_CANDLES_A_PAGE)) not in request.params:
            return None
        rows = wire.read_candles(body).data
        if len(rows) < _CANDLES_A_PAGE:
            return None
        params = tuple(param for param in request.params if param[0] != "endTime")
        return msgspec.structs.replace(request, params=(*params, ("endTime", str(min(rows)[0]))))

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        known = self.contracts.one(symbol)
        return [
            candle(known, interval, start_ms, prices, coins * known.multiplier, usd, recv_ms)
            for start_ms, *prices, coins, usd in sorted(wire.read_candles(body).data)
        ]

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """One request a contract, by API v2: in v3, rows do not name theirs."""
        path = "/api/v2/mix/market/query-position-lever"
        return [Request(path=path, params=(_MARKET_V2, ("symbol", symbol))) for symbol in symbols]

    @reader
    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return the contract's tiers; Bitget knows no deduction: a rate holds for all of it."""
        found: dict[str, tuple[MarginTier, ...]] = {}
        for row in sorted(wire.read_tiers(body).data, key=lambda row: row.level):
            tier = MarginTier(
                floor_usd=row.start_unit,
                rate=row.keep_margin_rate,
                max_leverage=row.leverage,
                deduction_usd=0.0,
            )
            found[row.symbol] = (*found.get(row.symbol, ()), tier)
        return found


def _is_ours(row: wire.InstrumentRow) -> bool:
    is_coin = row.type == "perpetual" and row.quote_coin == "USDT" and row.is_rwa != "YES"
    return is_coin and row.status in _STATUS
