"""BitMEX: keyless REST calls and what their bodies say.

https://www.bitmex.com/api/explorer/
https://support.bitmex.com/hc/en-gb/articles/6299296145565 tells what `typ` means.
A quanto contract (ETHUSD) pays in a third coin, so that its worth in USD needs that coin's price:
it is left out.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.bitmex import wire
from foreshock_exchanges.wire import millis
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, MarginTier

FUNDING_H: Final = 8.0

_CRYPTO_PERPETUAL: Final = "FFWCSX"
_DOLLARS: Final = {"USD", "USDT"}
_STATUS: Final[dict[str, InstrumentStatus]] = {
    "Open": "trading",
    "Unlisted": "pending",
    "Closed": "closing",
    "Settled": "closed",
    "Delisted": "closed",
}
_CANDLE: Final = "1h"
_MOST_CANDLES: Final = 1000
_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000


class BitmexRest(VenueRest):
    """Requests, and readers of their bodies: one call tells everything but candles."""

    name: ClassVar[str] = "bitmex"
    budget: ClassVar[Budget] = Budget(weight=30, window_s=60.0)

    def instruments(self) -> Request:
        """All contracts."""
        return _ACTIVE

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals of coins, inverse (in USD) and linear (in USDT)."""
        return [
            instrument(
                self.name,
                row.symbol,
                row.underlying,
                recv_ms,
                quote=row.quote_currency,
                status=_STATUS[row.state],
                size=size,
                inverse=row.is_inverse,
                tick=row.tick_size,
                funding_interval_h=_funding_hours(row),
                tiers=_tiers(row),
            )
            for row in _perpetuals(body)
            if _is_ours(row) and (size := _size(row))
        ]

    def tickers(self) -> Request:
        """All contracts."""
        return _ACTIVE

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that have traded."""
        return [
            known.ticker(
                row.last_price,
                row.volume_usd or 0.0,
                100 * (row.last_change or 0.0),
                millis(row.timestamp),
            )
            for known, row in self.known(_perpetuals(body))
            if row.last_price
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """All contracts."""
        return [_ACTIVE]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that have a mark price."""
        return [
            known.premium(
                mark,
                row.indicative_settle_price,
                row.funding_rate,
                millis(row.timestamp),
                funding_interval_h=_funding_hours(row),
                next_funding_ms=millis(row.funding_timestamp) if row.funding_timestamp else None,
            )
            for body in bodies
            for known, row in self.known(_perpetuals(body))
            if (mark := row.mark_price)
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """All contracts."""
        return [_ACTIVE]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of all contracts that have a mark price, one-sided."""
        return [
            known.open_contracts(known.coins(mark, row.open_contracts), millis(row.timestamp))
            for known, row in self.known(_perpetuals(body))
            if (mark := row.mark_price) and row.open_contracts is not None
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request | None:
        """The newest finished candles of an hour, 1,000 at most; there are none of 15 minutes."""
        if interval != _CANDLE:
            return None
        count = str(min(_MOST_CANDLES, limit))
        params = (("symbol", symbol), ("binSize", _CANDLE), ("count", count), ("reverse", "true"))
        return Request(path="/api/v1/trade/bucketed", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first."""
        if interval != _CANDLE:
            raise ValueError(f"no candles of {interval}")
        known = self.contracts.one(symbol)
        return [_kline(row, known, recv_ms) for row in reversed(wire.read_candles(body))]


_ACTIVE: Final = Request(path="/api/v1/instrument/active")


# What is no perpetual of a coin is not looked at: the price of a spread may be negative.
def _perpetuals(body: bytes) -> Iterator[wire.InstrumentRow]:
    for raw in wire.read_list(body):
        if wire.read_kind(raw).typ == _CRYPTO_PERPETUAL:
            yield wire.read_row(raw)


def _is_ours(row: wire.InstrumentRow) -> bool:
    return not row.is_quanto and row.quote_currency in _DOLLARS and row.state in _STATUS


# One contract, in USD where it is inverse (-100,000,000 satoshi a USD, of as many a coin), else in
# coins.
def _size(row: wire.InstrumentRow) -> float | None:
    if not row.is_inverse:
        per_coin = row.underlying_to_position_multiplier
        return 1 / per_coin if per_coin else None
    if not (row.multiplier and row.underlying_to_settle_multiplier):
        return None
    return row.multiplier / row.underlying_to_settle_multiplier


# The interval is a time of day: 2000-01-01T08:00:00.000Z is 8 h.
def _funding_hours(row: wire.InstrumentRow) -> float | None:
    if row.funding_interval is None:
        return None
    return millis(row.funding_interval) % _DAY_MS / _HOUR_MS


def _tiers(row: wire.InstrumentRow) -> tuple[MarginTier, ...]:
    if row.maint_margin is None or row.init_margin is None:
        return ()
    return margin_tiers([(0.0, row.maint_margin, 1 / row.init_margin)])


def _kline(row: wire.Candle, known: Contract, recv_ms: int) -> Kline:
    return candle(
        known,
        _CANDLE,
        millis(row.timestamp) - _HOUR_MS,
        (row.open, row.high, row.low, row.close),
        known.coins(row.close, row.volume),
        row.foreign_notional,
        recv_ms,
        trades=row.trades,
    )
