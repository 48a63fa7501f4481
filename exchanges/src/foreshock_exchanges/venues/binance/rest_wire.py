"""The REST bodies of Binance USD-M futures as they are on the wire.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from typing import Annotated

import msgspec

from foreshock_exchanges.wire import (
    Amount,
    Millis,
    MillisOrNone,
    Positive,
    Signed,
    TradeCount,
    decoder,
)


class Filter(msgspec.Struct, rename="camel"):
    """One of a contract's rules."""

    filter_type: str
    tick_size: Amount | None = None


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
    last_price: Amount
    price_change_percent: Signed
    quote_volume: Amount
    close_time: MillisOrNone


class PremiumRow(msgspec.Struct, rename="camel"):
    """A contract's mark, index and funding; the rate is empty where there is none."""

    symbol: str
    mark_price: Amount
    index_price: Amount
    last_funding_rate: str
    next_funding_time: MillisOrNone
    time: MillisOrNone


class FundingInfo(msgspec.Struct, rename="camel"):
    """A contract whose funding interval is not the usual one."""

    symbol: str
    funding_interval_hours: Annotated[float, msgspec.Meta(gt=0, le=24)]


class OpenInterestRow(msgspec.Struct, rename="camel"):
    """A contract's open interest, in contracts."""

    open_interest: Amount
    symbol: str
    time: MillisOrNone


class OpenInterestHistRow(msgspec.Struct, rename="camel"):
    """A contract's open-interest statistics, of which the supply is ours."""

    symbol: str
    timestamp: Millis
    supply: Amount = msgspec.field(name="CMCCirculatingSupply", default=0.0)


# open time, OHLC, base volume, close time, quote volume, trades, taker base, taker quote, ignored
KlineRow = tuple[
    Millis,
    Positive,
    Positive,
    Positive,
    Positive,
    Amount,
    Millis,
    Amount,
    TradeCount,
    Amount,
    Amount,
    str,
]


class AggTradeRow(msgspec.Struct):
    """An aggregated trade, as in the stream but without its symbol."""

    a: int
    p: Positive
    q: Positive
    T: Millis
    m: bool


read_exchange_info = decoder(ExchangeInfo)
read_tickers = decoder(list[TickerRow])
read_premiums = decoder(list[PremiumRow])
read_funding_infos = decoder(list[FundingInfo])
read_open_interest = decoder(OpenInterestRow)
read_open_interest_hist = decoder(list[OpenInterestHistRow])
read_klines = decoder(list[KlineRow])
read_agg_trades = decoder(list[AggTradeRow])
