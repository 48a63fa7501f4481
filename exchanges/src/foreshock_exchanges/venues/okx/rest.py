"""OKX v5 perpetual swaps: keyless REST calls and what their bodies say.

https://www.okx.com/docs-v5/en/#public-data-rest-api
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import ClassVar, Final

import msgspec

from foreshock_exchanges.candles import candle
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, pages, reader
from foreshock_exchanges.venues.okx import rest_rows as rows_of
from foreshock_exchanges.venues.okx import rest_wire as wire
from foreshock_exchanges.venues.okx.wire import numbers
from foreshock_exchanges.wire import amount_or_none
from foreshock_schemas.events import Instrument, Kline, MarginTier, Trade

DEFAULT_FUNDING_H: Final = 8.0

_SWAPS: Final = ("instType", "SWAP")
_BARS: Final = {"15m": "15m", "1h": "1H"}
_MOST_KLINES: Final = 300
_MOST_TRADES: Final = 100
_FAMILIES_A_REQUEST: Final = 5
_SYMBOL: Final = attrgetter("inst_id")
_INDEX_QUOTES: Final = ("USDT", "USDC", "USD")


class OkxRest(VenueRest):
    """Requests, and readers of their bodies; all swaps of coins are kept, inverse ones too."""

    name: ClassVar[str] = "okx"
    # Limits are per endpoint: 10 (funding, marks, tiers), 20 (the rest) or 40 (candles) requests in
    # 2 s. With one count for the host in which each costs its share of 40, none is passed.
    candles_a_page: ClassVar[int] = _MOST_KLINES
    budget: ClassVar[Budget] = Budget(
        weight=40,
        window_s=2.0,
        refused_s=((429, 10.0),),
        slow_down=r'"code"\s*:\s*"50011"',  # sometimes with a status of 200
    )

    def __init__(self, contracts: Contracts) -> None:
        super().__init__(contracts)
        self._marks: dict[str, float] = {}

    def instruments(self) -> Request:
        """All swaps."""
        return Request(path="/api/v5/public/instruments", params=(_SWAPS,), weight=2)

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the swaps of coins in USDT, USDC and USD (inverse); those of stocks are not."""
        found = (rows_of.swap(row, recv_ms) for row in wire.read_instruments(body).data)
        return [each for each in found if each is not None]

    def tickers(self) -> Request:
        """The last 24 hours of all swaps."""
        return Request(path="/api/v5/market/tickers", params=(_SWAPS,), weight=2)

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that are known; volumes come in coins."""
        return [
            known.ticker(
                last,
                (amount_or_none(row.vol_ccy_24h) or 0.0) * last,
                (last / (amount_or_none(row.open_24h) or last) - 1) * 100,
                row.ts,
            )
            for known, row in self.known(wire.read_tickers(body).data, _SYMBOL)
            if (last := amount_or_none(row.last))
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Marks and funding of all swaps, and the indices in the currencies they are quoted in."""
        return [
            Request(path="/api/v5/public/mark-price", params=(_SWAPS,), weight=4),
            Request(path="/api/v5/public/funding-rate", params=(("instId", "ANY"),), weight=4),
            *(
                Request(
                    path="/api/v5/market/index-tickers", params=(("quoteCcy", quote),), weight=2
                )
                for quote in _INDEX_QUOTES
            ),
        ]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that have a mark; what else there is not is missing."""
        marks, fundings, *indices = bodies
        funding = {row.inst_id: row for row in wire.read_fundings(fundings).data}
        index = {
            row.inst_id: row.idx_px for each in indices for row in wire.read_indices(each).data
        }
        premiums: list[Premium] = []
        for known, row in self.known(wire.read_marks(marks).data, _SYMBOL):
            if mark := amount_or_none(row.mark_px):
                index_price = amount_or_none(index.get(rows_of.family(known.symbol)))
                funded = funding.get(known.symbol)
                premiums.append(rows_of.premium(known, mark, index_price, funded, row.ts))
                self._marks[known.symbol] = mark
        return premiums

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all swaps."""
        return [Request(path="/api/v5/public/open-interest", params=(_SWAPS,), weight=2)]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of contracts that are known, from coins on the wire."""
        return [
            known.open_contracts(coins * known.multiplier, row.ts)
            for known, row in self.known(wire.read_open_interest(body).data, _SYMBOL)
            if (coins := amount_or_none(row.oi_ccy)) is not None
        ]

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request:
        """The newest candles of a contract; 300 at most, and older ones on further pages."""
        count = str(min(limit, _MOST_KLINES))
        params = (("instId", symbol), ("bar", _BARS[interval]), ("limit", count))
        return Request(path="/api/v5/market/candles", params=params)

    @reader
    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for older candles, of which OKX keeps 1,440 here."""
        full = ("limit", str(_MOST_KLINES)) in request.params
        if not full or "bar" not in dict(request.params):
            return None
        rows = wire.read_klines(body).data
        if len(rows) < _MOST_KLINES:
            return None
        params = tuple(param for param in request.params if param[0] != "after")
        return msgspec.structs.replace(request, params=(*params, ("after", str(rows[-1][0]))))

    @reader
    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; OKX tells neither takers nor a number of trades."""
        known = self.contracts.one(symbol)
        rows = wire.read_klines(body).data
        return [
            candle(known, interval, at_ms, prices, coins * known.multiplier, turnover, recv_ms)
            for at_ms, *prices, _, coins, turnover, _ in reversed(rows)
        ]

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """The position tiers of these contracts, five families a request."""
        return [
            Request(
                path="/api/v5/public/position-tiers",
                params=(
                    _SWAPS,
                    ("tdMode", "cross"),
                    ("instFamily", ",".join(map(rows_of.family, page))),
                ),
                weight=4,
            )
            for page in pages(symbols, _FAMILIES_A_REQUEST)
        ]

    @reader
    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return the tiers of contracts that are known.

        OKX counts contracts: a linear one's tiers are in USD at the mark that was last read among
        premiums, and left out before.
        """
        steps: dict[str, list[tuple[float, float, float]]] = {}
        for row in wire.read_tiers(body).data:
            symbol = f"{row.inst_family or row.uly}-SWAP"
            known, mark = self.contracts.sized(symbol), self._marks.get(symbol)
            if known is not None and (mark is not None or known.inverse):
                floor = known.usd(mark or 0.0, row.min_sz)
                steps.setdefault(symbol, []).append((floor, row.mmr, row.max_lever))
        return {symbol: margin_tiers(tiers) for symbol, tiers in steps.items()}

    def trades(self, symbol: str, first: int, last: int) -> Request:
        """Ask for single trades by their numbers; the first 100 of them at most."""
        count = min(_MOST_TRADES, last - first + 1)
        params = (
            ("instId", symbol),
            ("type", "1"),  # by number, not by time
            ("after", str(first + count)),  # numbers below this one
            ("limit", str(count)),
        )
        return Request(path="/api/v5/market/history-trades", params=params, weight=2)

    @reader
    def read_trades(self, body: bytes, symbol: str, recv_ms: int) -> list[Trade]:
        """Return the trades, oldest first."""
        known = self.contracts.one(symbol)
        return [
            known.trade("trades", numbers(row), row.side, row.px, row.sz, row.ts, recv_ms)
            for row in sorted(wire.read_trades(body).data, key=lambda row: row.number)
        ]
