"""The frames and bodies of BitMEX as they are on the wire.

https://www.bitmex.com/app/wsAPI
https://www.bitmex.com/api/explorer/
"""

from typing import Literal

import msgspec

from foreshock_exchanges.wire import Amount, Instant, Positive, Share, Signed, TradeCount, decoder


class Frame(msgspec.Struct, gc=False):
    """Rows of a table, or an answer."""

    table: str = ""
    action: Literal["", "partial", "insert", "update", "delete"] = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")
    info: str | None = None
    success: bool | None = None
    error: str | None = None


class Order(msgspec.Struct, gc=False):
    """A liquidation order, of all that it is to close, at its limit."""

    symbol: str
    side: Literal["Sell", "Buy"]
    price: Positive
    order_id: str = msgspec.field(name="orderID")
    leaves: Positive = msgspec.field(name="leavesQty")


class Trade(msgspec.Struct, gc=False):
    """A trade of `size` contracts; `side` is the taker's."""

    symbol: str
    timestamp: Instant
    side: Literal["Sell", "Buy"]
    size: Positive
    price: Positive
    match_id: str = msgspec.field(name="trdMatchID")
    kind: str = msgspec.field(name="trdType", default="Regular")


class Mark(msgspec.Struct, gc=False, rename="camel"):
    """What is new of a contract's mark and index price."""

    symbol: str
    timestamp: Instant | None = None
    mark_price: Amount | None = None
    indicative_settle_price: Amount | None = None


class Kind(msgspec.Struct):
    """What kind of contract a row is of."""

    typ: str


class InstrumentRow(msgspec.Struct, rename="camel"):
    """A contract, with its figures and its last 24 hours."""

    symbol: str
    state: str
    timestamp: Instant
    underlying: str
    quote_currency: str
    is_quanto: bool
    is_inverse: bool
    multiplier: Signed | None = None
    underlying_to_settle_multiplier: Signed | None = None
    underlying_to_position_multiplier: Positive | None = None
    tick_size: Amount | None = None
    init_margin: Share | None = None
    maint_margin: Share | None = None
    funding_interval: Instant | None = None
    funding_timestamp: Instant | None = None
    funding_rate: Signed | None = None
    mark_price: Amount | None = None
    indicative_settle_price: Amount | None = None
    last_price: Amount | None = None
    last_change: Signed | None = msgspec.field(name="lastChangePcnt", default=None)
    volume_usd: Amount | None = msgspec.field(name="foreignNotional24h", default=None)
    open_contracts: Amount | None = msgspec.field(name="openInterest", default=None)


class Candle(msgspec.Struct, rename="camel"):
    """A candle; `timestamp` is its end, `volume` in contracts."""

    timestamp: Instant
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    trades: TradeCount
    volume: Amount
    foreign_notional: Amount


read_frame = decoder(Frame)
read_orders = decoder(list[Order])
read_trades = decoder(list[Trade])
read_marks = decoder(list[Mark])
read_candles = decoder(list[Candle])
read_list = decoder(list[msgspec.Raw])
read_kind = decoder(Kind)
read_row = decoder(InstrumentRow)
