"""dYdX v4: the indexer's keyless REST calls, and what their bodies say.

https://docs.dydx.exchange/api_integration-indexer/indexer_api
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import ClassVar, Final

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.dydx import wire
from foreshock_exchanges.wire import millis
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline

FUNDING_H: Final = 1.0

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "ACTIVE": "trading",
    "INITIALIZING": "pending",
    "POST_ONLY": "pending",
    "PAUSED": "pending",
    "CANCEL_ONLY": "closing",
    "FINAL_SETTLEMENT": "closing",
}
_RESOLUTIONS: Final = {"15m": "15MINS", "1h": "1HOUR"}
_MOST_CANDLES: Final = 1000


class DydxRest(VenueRest):
    """Requests, and readers of their bodies: one call tells everything of all markets.

    Candles do not tell what takers bought: 0 stands there. The limit, 100 calls in 10 s an address,
    is what others found: dYdX documents none for the indexer, and nobody has verified it.
    """

    name: ClassVar[str] = "dydx"
    budget: ClassVar[Budget] = Budget(weight=100, window_s=10.0)

    def instruments(self) -> Request:
        """All markets."""
        return _MARKETS

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the markets of coins that are known by a ticker."""
        return [
            instrument(
                self.name,
                row.ticker,
                row.ticker.removesuffix("-USD"),
                recv_ms,
                quote="USD",
                status=_STATUS[row.status],
                tick=row.tick_size,
                funding_interval_h=FUNDING_H,
                tiers=margin_tiers(
                    [(0.0, row.maintenance_margin_fraction, 1 / row.initial_margin_fraction)]
                ),
            )
            for _, row in self._rows(body)
            if row.status in _STATUS
        ]

    def tickers(self) -> Request:
        """All markets."""
        return _MARKETS

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers; there is no last price, so that the oracle price stands for it."""
        return [
            known.ticker(
                price, row.volume_usd, _change_pct(price, row.price_change or 0.0), recv_ms
            )
            for known, row in self._rows(body)
            if (price := row.oracle_price)
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """All markets."""
        return [_MARKETS]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for markets that have an oracle price: it is the mark and the index."""
        return [
            known.premium(
                price, price, row.next_funding_rate, recv_ms, funding_interval_h=FUNDING_H
            )
            for body in bodies
            for known, row in self._rows(body)
            if (price := row.oracle_price)
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """All markets."""
        return [_MARKETS]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of all markets, one-sided."""
        return [
            known.open_contracts(row.open_interest * known.multiplier, recv_ms)
            for known, row in self._rows(body)
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a market; 1,000 at most."""
        params = (
            ("resolution", _RESOLUTIONS[interval]),
            ("limit", str(min(_MOST_CANDLES, limit))),
        )
        return Request(path=f"/v4/candles/perpetualMarkets/{symbol}", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        known = self.contracts.one(symbol)
        told = wire.read_candles(body)
        return [_kline(row, known, interval, recv_ms) for row in reversed(told.candles)]

    def _rows(self, body: bytes) -> Iterator[tuple[Contract, wire.Market]]:
        told = wire.read_markets(body)
        return self.known(told.markets.values(), attrgetter("ticker"))


_MARKETS: Final = Request(path="/v4/perpetualMarkets")


def _change_pct(price: float, change: float) -> float:
    day_ago = price - change
    return 100 * change / day_ago if day_ago > 0 else 0.0


def _kline(row: wire.Candle, known: Contract, interval: str, recv_ms: int) -> Kline:
    return candle(
        known,
        interval,
        millis(row.started_at),
        (row.open, row.high, row.low, row.close),
        row.base_token_volume * known.multiplier,
        row.usd_volume,
        recv_ms,
        trades=row.trades,
    )
