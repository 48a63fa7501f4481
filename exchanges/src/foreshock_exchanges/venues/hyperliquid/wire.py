"""The frames and bodies of Hyperliquid as they are on the wire.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals
"""

from typing import Literal

import msgspec

from foreshock_exchanges.wire import Amount, Leverage, Millis, Positive, Signed, decoder


class Frame(msgspec.Struct, gc=False):
    """What is around everything."""

    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class Trade(msgspec.Struct, gc=False):
    """A trade; `side` is B where the taker buys."""

    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: Positive
    time: Millis
    tid: int


class Level(msgspec.Struct, rename="camel"):
    """A tier of margins, from so many USD on."""

    lower_bound: Amount
    max_leverage: Leverage


class Table(msgspec.Struct, rename="camel"):
    """A table of tiers, that contracts refer to."""

    margin_tiers: list[Level]


class Asset(msgspec.Struct, rename="camel"):
    """A contract."""

    name: str
    max_leverage: Leverage
    margin_table_id: int | None = None
    is_delisted: bool | None = None


class Meta(msgspec.Struct, rename="camel"):
    """All contracts, and the tables that they refer to."""

    universe: list[Asset]
    margin_tables: list[tuple[int, Table]] = []


class Context(msgspec.Struct, rename="camel"):
    """A contract's figures; what is delisted has no middle price and no open interest."""

    funding: Signed
    open_interest: Amount
    prev_day_px: Amount
    day_ntl_vlm: Amount
    oracle_px: Amount | None = None
    mark_px: Amount | None = None


class ActiveContext(msgspec.Struct, gc=False):
    """A contract's figures, by its name."""

    coin: str
    ctx: Context


read_frame = decoder(Frame)
read_trades = decoder(list[Trade])
read_context = decoder(ActiveContext)
read_meta = decoder(Meta)
read_contexts = decoder(tuple[Meta, list[Context]])
