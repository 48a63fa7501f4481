"""Bybit v5 linear perpetuals: keyless REST calls and what their bodies say.

https://bybit-exchange.github.io/docs/v5/market/instrument
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final
from urllib.parse import unquote

import msgspec

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.bybit import rest_wire as wire
from foreshock_exchanges.venues.bybit.tickers import one_sided
from foreshock_exchanges.wire import amount_or_none, hours_or_none, millis_or_none, number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, MarginTier

DEFAULT_FUNDING_H: Final = 8.0

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "PreLaunch": "pending",
    "Trading": "trading",
    "Delivering": "closing",
    "Closed": "closed",
}
_NO_COINS: Final = {"stock", "commodity", "forex"}
_INTERVALS: Final = {"15m": "15", "1h": "60"}
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
        slow_down=r'"retCode"\s*:\s*10006\b',
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
            known.ticker(
                last,
                amount_or_none(row.turnover_24h) or 0.0,
                (number_or_none(row.price_24h_pcnt) or 0.0) * 100,
                at_ms,
            )
            for known, row, at_ms in self._rows(body)
            if (last := amount_or_none(row.last_price))
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Mark, index and funding of all contracts."""
        return [_TICKERS]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for USDT contracts that have a mark price."""
        return [
            known.premium(
                mark,
                amount_or_none(row.index_price),
                number_or_none(row.funding_rate),
                at_ms,
                funding_interval_h=hours_or_none(row.funding_interval_hour),
                next_funding_ms=millis_or_none(row.next_funding_time),
            )
            for body in bodies
            for known, row, at_ms in self._rows(body)
            if (mark := amount_or_none(row.mark_price))
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all contracts."""
        return [_TICKERS]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of USDT contracts, each contract counted once."""
        return [
            known.open_contracts(count * known.multiplier, at_ms)
            for known, row, at_ms in self._rows(body)
            if (count := one_sided(row.single_open_interest, row.open_interest)) is not None
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract; 1,000 at most."""
        params = (
            _LINEAR,
            ("symbol", symbol),
            ("interval", _INTERVALS[interval]),
            ("limit", str(min(limit, _MOST_KLINES))),
        )
        return Request(path="/v5/market/kline", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; Bybit tells neither takers nor a number of trades."""
        known = self.contracts.one(symbol)
        rows = wire.read_klines(body).result.list
        return [
            candle(known, interval, at_ms, prices, volume * known.multiplier, turnover, recv_ms)
            for at_ms, *prices, volume, turnover in reversed(rows)
        ]

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """The risk limits of all contracts, 15 contracts a page."""
        return [Request(path="/v5/market/risk-limit", params=(_LINEAR,))]

    @reader
    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return the tiers of the USDT contracts on a page; a page has all of a contract's."""
        rows: dict[str, list[wire.TierRow]] = {}
        for known, row in self.known(wire.read_tiers(body).result.list):
            rows.setdefault(known.symbol, []).append(row)
        return {symbol: margin_tiers(_steps(tiers)) for symbol, tiers in rows.items()}

    def _rows(self, body: bytes) -> Iterator[tuple[Contract, wire.TickerRow, int]]:
        answer: wire.Answer[wire.TickerRow] = wire.read_tickers(body)
        for known, row in self.known(answer.result.list):
            yield known, row, answer.time


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
