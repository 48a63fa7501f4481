"""The REST bodies of Binance USD-M futures as they are on the wire.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

_Price = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]
_Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e18)]
_Signed = Annotated[float, msgspec.Meta(gt=-1e18, lt=1e18)]


class Filter(msgspec.Struct, rename="camel"):
    """One of a contract's rules."""

    filter_type: str
    tick_size: _Amount | None = None


class Symbol(msgspec.Struct, rename="camel"):
    """One contract."""

    symbol: str
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    underlying_type: str = "COIN"
    filters: list[Filter] = []


class ExchangeInfo(msgspec.Struct):
    """All contracts."""

    symbols: list[Symbol]


class TickerRow(msgspec.Struct, rename="camel"):
    """A contract's last 24 hours."""

    symbol: str
    last_price: _Amount
    price_change_percent: _Signed
    quote_volume: _Amount
    close_time: int


class PremiumRow(msgspec.Struct, rename="camel"):
    """A contract's mark, index and funding; the rate is empty where there is none."""

    symbol: str
    mark_price: _Amount
    index_price: _Amount
    last_funding_rate: str
    next_funding_time: int
    time: int


class FundingInfo(msgspec.Struct, rename="camel"):
    """A contract whose funding interval is not the usual one."""

    symbol: str
    funding_interval_hours: Annotated[float, msgspec.Meta(gt=0, le=24)]


class OpenInterestRow(msgspec.Struct, rename="camel"):
    """A contract's open interest, in contracts."""

    open_interest: _Amount
    symbol: str
    time: int


class OpenInterestHistRow(msgspec.Struct, rename="camel"):
    """A contract's open-interest statistics, of which the supply is ours."""

    symbol: str
    timestamp: int
    supply: _Amount = msgspec.field(name="CMCCirculatingSupply", default=0.0)


# open time, OHLC, base volume, close time, quote volume, trades, taker base, taker quote, ignored
KlineRow = tuple[
    int, _Price, _Price, _Price, _Price, _Amount, int, _Amount, int, _Amount, _Amount, str
]


def read_rate(text: str) -> float | None:
    """Return a funding rate, if there is one."""
    return msgspec.convert(text, _Signed, strict=False) if text else None


def _reader(wire_type: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(wire_type, strict=False).decode


read_exchange_info = _reader(ExchangeInfo)
read_tickers = _reader(list[TickerRow])
read_premiums = _reader(list[PremiumRow])
read_funding_infos = _reader(list[FundingInfo])
read_open_interest = _reader(OpenInterestRow)
read_open_interest_hist = _reader(list[OpenInterestHistRow])
read_klines = _reader(list[KlineRow])
