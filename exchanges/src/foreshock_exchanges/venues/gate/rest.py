"""Gate USDT perpetuals: keyless REST calls and what their bodies say.

https://www.gate.com/docs/developers/apiv4/en/#futures
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import ClassVar, Final

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contracts import Contracts, instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.gate import wire
from foreshock_exchanges.wire import number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline, MarginTier

_BASE: Final = "/api/v4/futures/usdt"
_TIERS: Final = f"{_BASE}/risk_limit_tiers"
_CONTRACTS_A_PAGE: Final = 100
_MOST_CANDLES: Final = 2000
_QUOTE: Final = "_USDT"
_HOUR_S: Final = 3600
_CONTRACT: Final = attrgetter("contract")

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "prelaunch": "pending",
    "trading": "trading",
    "suspend": "trading",
    "circuit_breaker": "trading",
    "delisting": "closing",
    "delisted": "closed",
}


class GateRest(VenueRest):
    """Requests, and readers of their bodies; only perpetuals of coins are kept.

    Gate allows 200 requests in 10 s for each call; a quarter of that for all is ours. How long
    it refuses who asks for more is not documented.
    """

    name: ClassVar[str] = "gate"
    budget: ClassVar[Budget] = Budget(weight=50, window_s=10.0, refused_s=((429, 30.0),))

    def __init__(self, contracts: Contracts) -> None:
        super().__init__(contracts)
        self._contracts = Request(path=f"{_BASE}/contracts")
        self._tickers = Request(path=f"{_BASE}/tickers")

    def instruments(self) -> Request:
        """All contracts."""
        return self._contracts

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals of coins; stocks, metals and the like are left out."""
        return [
            instrument(
                "gate",
                row.name,
                row.name.removesuffix(_QUOTE),
                recv_ms,
                quote="USDT",
                status="closing" if row.in_delisting else _STATUS[row.status],
                size=row.quanto_multiplier,
                tick=row.order_price_round,
                funding_interval_h=row.funding_interval / _HOUR_S or None,
            )
            for row in wire.read_contracts(body)
            if self._is_ours(row)
        ]

    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for the tiers of further contracts, if this page of them is full."""
        if request.path != _TIERS or len(self.read_tiers(body)) < _CONTRACTS_A_PAGE:
            return None
        return _tiers_from(int(dict(request.params)["offset"]) + _CONTRACTS_A_PAGE)

    def tickers(self) -> Request:
        """The last 24 hours of all contracts."""
        return self._tickers

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that are known; Gate tells no time."""
        return [
            known.ticker(row.last, row.volume_24h_quote, row.change_percentage, recv_ms)
            for known, row in self.known(wire.read_ticker_rows(body), _CONTRACT)
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """All contracts: unlike tickers, they tell the funding's interval and next time."""
        return [self._contracts]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that are known and have a mark price."""
        return [
            known.premium(
                row.mark_price,
                row.index_price,
                number_or_none(row.funding_rate),
                recv_ms,
                funding_interval_h=row.funding_interval / _HOUR_S,
                next_funding_ms=int(row.funding_next_apply * 1000),
            )
            for body in bodies
            for known, row in self.known(wire.read_contracts(body), attrgetter("name"))
            if row.mark_price
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all contracts."""
        return [self._tickers] if symbols else []

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest; Gate does not say so, but `total_size` is taken as one-sided.

        The same figure among its contracts is "total long position size".
        """
        return [
            known.open_contracts(known.coins(row.mark_price, row.total_size), recv_ms)
            for known, row in self.known(wire.read_ticker_rows(body), _CONTRACT)
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract; 2,000 at most."""
        limit = min(limit, _MOST_CANDLES)
        params = (("contract", symbol), ("interval", interval), ("limit", str(limit)))
        return Request(path=f"{_BASE}/candlesticks", params=params)

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        known = self.contracts.one(symbol)
        rows = sorted(wire.read_candles(body), key=lambda row: row.t)
        return [
            candle(
                known,
                interval,
                row.t * 1000,
                (row.o, row.h, row.l, row.c),
                known.coins(row.c, row.v),
                row.sum,
                recv_ms,
            )
            for row in rows
        ]

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for all contracts, page by page: rows name theirs only so."""
        return [_tiers_from(0)] if symbols else []

    @reader
    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return the tiers of all contracts on a page; each begins where the one below ends."""
        found: dict[str, tuple[MarginTier, ...]] = {}
        ends: dict[str, float] = {}
        for row in sorted(wire.read_tiers(body), key=lambda row: row.tier):
            tier = MarginTier(
                floor_usd=ends.get(row.contract, 0.0),
                rate=row.maintenance_rate,
                max_leverage=row.leverage_max,
                deduction_usd=row.deduction,
            )
            found[row.contract] = (*found.get(row.contract, ()), tier)
            ends[row.contract] = row.risk_limit
        return found

    def _is_ours(self, row: wire.ContractRow) -> bool:
        is_perpetual = self.contracts.find(row.name) is not None and row.quanto_multiplier > 0
        return is_perpetual and not row.contract_type and row.status in _STATUS


def _tiers_from(offset: int) -> Request:
    params = (("limit", str(_CONTRACTS_A_PAGE)), ("offset", str(offset)))
    return Request(path=_TIERS, params=params)
