"""Bybit v5 linear perpetuals: keyless REST calls and what their bodies say.

https://bybit-exchange.github.io/docs/v5/market/instrument
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import msgspec

from foreshock_exchanges.contracts import Contract, instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.bybit import rest_wire as wire
from foreshock_exchanges.venues.bybit.tickers import one_sided
from foreshock_exchanges.wire import number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, MarginTier
from foreshock_schemas.ids import venue_id

DEFAULT_FUNDING_H: Final = 8.0

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "PreLaunch": "pending",
    "Trading": "trading",
    "Delivering": "closing",
    "Closed": "closed",
}
_NO_COINS: Final = {"stock", "commodity", "forex"}
_INTERVALS: Final = {"15m": ("15", 900_000), "1h": ("60", 3_600_000)}
_LINEAR: Final = ("category", "linear")
_TICKERS: Final = Request(path="/v5/market/tickers", params=(_LINEAR,))
_MOST_KLINES: Final = 1000


class BybitRest(VenueRest):
    """Requests, and readers of their bodies; only USDT-margined perpetuals of coins are kept."""

    name: ClassVar[str] = "bybit"
    budget: ClassVar[Budget] = Budget(
        weight=600,
        window_s=5.0,
        refused_s=((403, 600.0),),  # "access too frequent": nothing for at least 10 minutes
    )

    def instruments(self) -> Request:
        """The first 1,000 contracts that are traded."""
        return Request(path="/v5/market/instruments-info", params=(_LINEAR, ("limit", "1000")))

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals quoted in USDT; TradFi and dated contracts are left out."""
        rows: list[wire.InstrumentRow] = wire.read_instruments(body).result.list
        return [_instrument(row, recv_ms) for row in rows if _is_ours(row)]

    @reader
    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for the next page of contracts or tiers.

        The cursor comes percent-encoded; encoding it again is the client's.
        """
        cursor = wire.read_page(body).result.next_page_cursor
        if not cursor:
            return None
        others = tuple(param for param in request.params if param[0] != "cursor")
        params = (*others, ("cursor", unquote(cursor)))
        return msgspec.structs.replace(request, params=params)

    def tickers(self) -> Request:
        """The last 24 hours of all contracts, with mark, index, funding and open interest."""
        return _TICKERS

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of USDT contracts; turnover is in USDT, the change is a share."""
        return [
            Ticker(
                symbol=row.symbol,
                coin=known.coin,
                last_price=last / known.multiplier,
                volume_24h_usd=number_or_none(row.turnover_24h) or 0.0,
                change_24h_pct=(number_or_none(row.price_24h_pcnt) or 0.0) * 100,
                ts_event_ms=at_ms,
            )
            for row, known, at_ms in self._rows(body)
            if (last := number_or_none(row.last_price))
        ]

    def premiums(self) -> list[Request]:
        """Mark, index and funding of all contracts."""
        return [_TICKERS]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for USDT contracts that have a mark price."""
        return [
            Premium(
                symbol=row.symbol,
                coin=known.coin,
                mark_price=mark / known.multiplier,
                index_price=(number_or_none(row.index_price) or 0.0) / known.multiplier or None,
                funding_rate=number_or_none(row.funding_rate),
                next_funding_ms=int(number_or_none(row.next_funding_time) or 0) or None,
                ts_event_ms=at_ms,
                funding_interval_h=number_or_none(row.funding_interval_hour) or None,
            )
            for body in bodies
            for row, known, at_ms in self._rows(body)
            if (mark := number_or_none(row.mark_price))
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all contracts."""
        return [_TICKERS]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of USDT contracts, each contract counted once."""
        return [
            OpenContracts(
                symbol=row.symbol,
                coin=known.coin,
                open_interest_coins=count * known.multiplier,
                ts_event_ms=at_ms,
            )
            for row, known, at_ms in self._rows(body)
            if (count := one_sided(row.single_open_interest, row.open_interest)) is not None
        ]

    def klines(self, symbol: str, interval: str, limit: int) -> Request:
        """The newest candles of a contract; 1,000 at most."""
        params = (
            _LINEAR,
            ("symbol", symbol),
            ("interval", _INTERVALS[interval][0]),
            ("limit", str(min(limit, _MOST_KLINES))),
        )
        return Request(path="/v5/market/kline", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; Bybit tells neither takers nor a number of trades."""
        known = self.contracts.sized(symbol)
        if known is None or interval not in _INTERVALS:
            raise ValueError(f"no candles of {interval} for {symbol}")
        rows = wire.read_klines(body).result.list
        return [_kline(row, known, interval, recv_ms) for row in reversed(rows)]

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """The risk limits of all contracts, 15 contracts a page."""
        return [Request(path="/v5/market/risk-limit", params=(_LINEAR,))]

    @reader
    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return the tiers of the USDT contracts on a page; a page has all of a contract's."""
        rows: dict[str, list[wire.TierRow]] = {}
        for row in wire.read_tiers(body).result.list:
            if self.contracts.sized(row.symbol) is not None:
                rows.setdefault(row.symbol, []).append(row)
        return {symbol: margin_tiers(_steps(tiers)) for symbol, tiers in rows.items()}

    def _rows(self, body: bytes) -> Iterator[tuple[wire.TickerRow, Contract, int]]:
        answer: wire.Answer[wire.TickerRow] = wire.read_tickers(body)
        for row in answer.result.list:
            if (known := self.contracts.sized(row.symbol)) is not None:
                yield row, known, answer.time


def _is_ours(row: wire.InstrumentRow) -> bool:
    perpetual = row.contract_type == "LinearPerpetual" and row.symbol_type not in _NO_COINS
    return perpetual and row.quote_coin == "USDT" and row.status in _STATUS


def _instrument(row: wire.InstrumentRow, recv_ms: int) -> Instrument:
    return instrument(
        "bybit",
        row.symbol,
        row.base_coin,
        recv_ms,
        quote=row.quote_coin,
        status=_STATUS[row.status],
        tick=row.price_filter.tick_size,
        funding_interval_h=row.funding_interval / 60 or None,
    )


def _steps(rows: Iterable[wire.TierRow]) -> Iterator[tuple[float, float, float]]:
    """Yield floors, rates and leverages; a limit is the floor of the next tier.

    The docs show margins in percent, linear answers had shares: the initial margin, which is
    one over the leverage, tells.
    """
    floor = 0.0
    for row in sorted(rows, key=lambda row: row.risk_limit_value):
        percent = row.initial_margin * row.max_leverage > 10
        rate = row.maintenance_margin / 100 if percent else row.maintenance_margin
        yield floor, rate, row.max_leverage
        floor = row.risk_limit_value


def _kline(row: Any, known: Contract, interval: Any, recv_ms: int) -> Kline:
    start_ms, opened, high, low, close, volume, turnover = row
    multiplier = known.multiplier
    return Kline(
        event_id=venue_id("bybit", known.symbol, f"kline_{interval}", start_ms),
        ts_event_ms=start_ms + _INTERVALS[interval][1],
        ts_recv_ms=recv_ms,
        exchange="bybit",
        symbol=known.symbol,
        coin=known.coin,
        interval=interval,
        start_ms=start_ms,
        open=opened / multiplier,
        high=high / multiplier,
        low=low / multiplier,
        close=close / multiplier,
        volume_coins=volume * multiplier,
        notional_usd=turnover,
        taker_buy_usd=0.0,
        trades=0,
    )
