"""The frames of OKX's public channels as they are on the wire, with its field names.

https://www.okx.com/docs-v5/en/#public-data-websocket
Every number is a text, and what is missing is an empty one.
"""

from typing import Annotated, Literal

import msgspec

from foreshock_exchanges.wire import Amount, Millis, Positive, decoder

Count = Annotated[int, msgspec.Meta(ge=1)]
Number = Annotated[int, msgspec.Meta(ge=1)]


class Arg(msgspec.Struct, gc=False, rename="camel"):
    """What was subscribed to."""

    channel: str = ""
    inst_id: str = ""


class TradeRow(msgspec.Struct, gc=False):
    """A taker order's fills at one price: the last's number, and how many they are."""

    number: Number = msgspec.field(name="tradeId")
    px: Positive
    sz: Positive
    side: Literal["buy", "sell"]
    ts: Millis
    count: Count = 1


class Trades(msgspec.Struct, gc=False):
    """A frame of `trades`, of one contract."""

    arg: Arg
    data: list[TradeRow]


class Detail(msgspec.Struct, gc=False, rename="camel"):
    """A liquidation; `side` is its order's, `bk_px` the bankruptcy price."""

    bk_px: Positive
    side: Literal["buy", "sell"]
    sz: Positive
    ts: Millis
    pos_side: Literal["long", "short", "net", ""] = ""


class LiquidationRow(msgspec.Struct, gc=False, rename="camel"):
    """Liquidations of one contract."""

    inst_id: str
    details: list[Detail]


class Liquidations(msgspec.Struct, gc=False):
    """A frame of `liquidation-orders`."""

    data: list[LiquidationRow]


class MarkRow(msgspec.Struct, gc=False, rename="camel"):
    """A contract's mark price."""

    inst_id: str
    mark_px: Positive
    ts: Millis


class Marks(msgspec.Struct, gc=False):
    """A frame of `mark-price`."""

    data: list[MarkRow]


class OpenInterestRow(msgspec.Struct, gc=False, rename="camel"):
    """A contract's open interest in coins."""

    inst_id: str
    oi_ccy: Amount
    ts: Millis


class OpenInterests(msgspec.Struct, gc=False):
    """A frame of `open-interest`."""

    data: list[OpenInterestRow]


class Envelope(msgspec.Struct, gc=False):
    """Anything: data in an unusual order of fields, of other channels, or an answer."""

    arg: Arg = msgspec.field(default_factory=Arg)
    event: str = ""
    code: str = ""


def numbers(row: TradeRow) -> str:
    """Return the numbers of the trades in a row: one, or `first-last`.

    Raises:
        ValueError: They would be below 1.
    """
    last, first = row.number, row.number - row.count + 1
    if first < 1:
        raise ValueError(f"{row.count} trades up to number {last}")
    return str(last) if row.count == 1 else f"{first}-{last}"


read_trades = decoder(Trades)
read_liquidations = decoder(Liquidations)
read_marks = decoder(Marks)
read_open_interests = decoder(OpenInterests)
read_envelope = decoder(Envelope)
