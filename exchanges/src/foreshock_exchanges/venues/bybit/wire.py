"""The frames of Bybit's public linear streams as they are on the wire, with its field names.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from typing import Literal

import msgspec

from foreshock_exchanges.wire import Millis, Positive, decoder

Side = Literal["Buy", "Sell"]


class TradeRow(msgspec.Struct, gc=False):
    """A trade; `S` is the taker's side, `BT` says that it was agreed off the book."""

    T: Millis
    S: Side
    v: Positive
    p: Positive
    i: str
    BT: bool = False


class Trades(msgspec.Struct, gc=False):
    """A frame of `publicTrade`: at most 1,024 trades of the topic's contract."""

    topic: str
    data: list[TradeRow]


class LiquidationRow(msgspec.Struct, gc=False):
    """A liquidation; `S` is the position's side, `p` its bankruptcy price."""

    T: Millis
    s: str
    S: Side
    v: Positive
    p: Positive


class Liquidations(msgspec.Struct, gc=False):
    """A frame of `allLiquidation`."""

    data: list[LiquidationRow]


class TickerRow(msgspec.Struct, gc=False, rename="camel"):
    """What is new of a contract; what is missing is unchanged, what is empty is not known."""

    symbol: str
    mark_price: str = ""
    index_price: str = ""
    open_interest: str = ""
    single_open_interest: str = ""
    funding_rate: str = ""
    funding_interval_hour: str = ""
    next_funding_time: str = ""


class Ticker(msgspec.Struct, gc=False):
    """A frame of `tickers`."""

    type: Literal["snapshot", "delta"]
    data: TickerRow
    ts: Millis


class Envelope(msgspec.Struct, gc=False):
    """Anything: data in an unusual order of fields, of other topics, or an answer."""

    topic: str = ""
    op: str = ""
    success: bool | msgspec.UnsetType = msgspec.UNSET


read_trades = decoder(Trades)
read_liquidations = decoder(Liquidations)
read_ticker = decoder(Ticker)
read_envelope = decoder(Envelope)
