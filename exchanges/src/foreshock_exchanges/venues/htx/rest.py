"""HTX USDT-margined swaps: keyless REST calls and what their bodies say.

https://www.htx.com/en-us/opend/newApiPages/ (open interest 8cb80166, tickers 8cb80df2)
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

import msgspec

from foreshock_exchanges.contracts import Contract, instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.wire import Amount, Millis, Positive, Signed, decoder
from foreshock_schemas.events import Instrument, InstrumentStatus

Row = TypeVar("Row")

SIDES_COUNTED: Final = 2
"""HTX counts buyers and sellers: twice what was traded, and twice what is open."""

_API: Final = "/linear-swap-api/v1"
_MARK: Final = "/index/market/history/linear_swap_mark_price_kline"
_BATCHES: Final = 2
_QUOTE: Final = "-USDT"
_STATUS: Final[dict[int, InstrumentStatus]] = {
    0: "closed",
    1: "trading",
    2: "pending",
    3: "trading",
    4: "pending",
    5: "trading",
    6: "closing",
    7: "trading",
    8: "closed",
}


class _Told(msgspec.Struct, Generic[Row]):
    data: list[Row]
    ts: Millis


class _ContractRow(msgspec.Struct):
    contract_code: str
    contract_size: Positive
    price_tick: Amount
    contract_status: int


class _TickerRow(msgspec.Struct):
    contract_code: str
    open: Amount
    close: Amount
    trade_turnover: Amount
    ts: Millis


class _Ticks(msgspec.Struct):
    ticks: list[_TickerRow]


class _OpenRow(msgspec.Struct):
    contract_code: str
    amount: Amount


class _Funding(msgspec.Struct):
    contract_code: str
    funding_rate: Signed | None
    funding_time: Millis | None


class _Index(msgspec.Struct):
    contract_code: str
    index_price: Amount


class _Candle(msgspec.Struct):
    close: Positive


class _Mark(msgspec.Struct):
    ch: str
    data: list[_Candle]
    ts: Millis


_contracts = decoder(_Told[_ContractRow])
_ticks = decoder(_Ticks)
_open = decoder(_Told[_OpenRow])
_fundings = decoder(_Told[_Funding])
_indices = decoder(_Told[_Index])
_mark = decoder(_Mark)


class HtxRest(VenueRest):
    """Requests, and readers of their bodies."""

    name: ClassVar[str] = "htx"
    budget: ClassVar[Budget] = Budget(weight=240, window_s=3.0)

    def instruments(self) -> Request:
        """All swaps."""
        return Request(path=f"{_API}/swap_contract_info")

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals with a USDT margin."""
        return [
            instrument(
                "htx",
                row.contract_code,
                row.contract_code.removesuffix(_QUOTE),
                recv_ms,
                quote="USDT",
                status=_STATUS[row.contract_status],
                size=row.contract_size,
                tick=row.price_tick,
            )
            for row in _contracts(body).data
            if self.contracts.find(row.contract_code) is not None and row.contract_status in _STATUS
        ]

    def tickers(self) -> Request:
        """The last 24 hours of all swaps."""
        path = "/v2/linear-swap-ex/market/detail/batch_merged"
        return Request(path=path, params=(("business_type", "swap"),))

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of swaps that are known."""
        return [
            Ticker(
                symbol=row.contract_code,
                coin=known.coin,
                last_price=row.close / known.multiplier,
                volume_24h_usd=row.trade_turnover / SIDES_COUNTED,
                change_24h_pct=(row.close / row.open - 1) * 100 if row.open else 0.0,
                ts_event_ms=row.ts,
            )
            for row in _ticks(body).ticks
            if (known := self.contracts.sized(row.contract_code)) is not None
        ]

    def premiums(self) -> list[Request]:
        """Funding and indices of all swaps at once, and the mark of each one that is known."""
        return [
            Request(path=f"{_API}/swap_batch_funding_rate"),
            Request(path=f"{_API}/swap_index"),
            *(
                Request(
                    path=_MARK, params=(("contract_code", s), ("period", "1min"), ("size", "1"))
                )
                for s, known in self.contracts.known.items()
                if isinstance(known, Contract)
            ),
        ]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for swaps that have a mark."""
        fundings = {row.contract_code: row for row in _fundings(bodies[0]).data}
        indices = {row.contract_code: row.index_price for row in _indices(bodies[1]).data}
        found = []
        for body in bodies[_BATCHES:]:
            said = _mark(body)
            _, symbol, _ = said.ch.split(".", 2)
            known, funding = self.contracts.sized(symbol), fundings.get(symbol)
            if known is None or not said.data:
                continue
            found.append(
                Premium(
                    symbol=symbol,
                    coin=known.coin,
                    mark_price=said.data[-1].close / known.multiplier,
                    index_price=indices.get(symbol, 0.0) / known.multiplier or None,
                    funding_rate=funding.funding_rate if funding else None,
                    next_funding_ms=funding.funding_time if funding else None,
                    ts_event_ms=said.ts,
                )
            )
        return found

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """One request for all swaps."""
        params = (("business_type", "swap"),)
        return [Request(path=f"{_API}/swap_open_interest", params=params)] if symbols else []

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of one side."""
        said = _open(body)
        return [
            OpenContracts(
                symbol=row.contract_code,
                coin=known.coin,
                open_interest_coins=row.amount * known.multiplier / SIDES_COUNTED,
                ts_event_ms=said.ts,
            )
            for row in said.data
            if (known := self.contracts.sized(row.contract_code)) is not None
        ]
