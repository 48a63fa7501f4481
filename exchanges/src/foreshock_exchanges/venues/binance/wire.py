"""The frames of Binance USD-M futures as they are on the wire, with Binance's own field names.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections.abc import Callable
from typing import ClassVar, Final

import msgspec

from foreshock_exchanges.wire import Amount, Millis, Positive, decoder

USD_M: Final = 1
"""What `st` says of the market that is ours; other numbers are other markets."""


class AggTrade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="aggTrade"):
    """A taker order's fills at one price. `m`: the buyer is the maker."""

    stream: ClassVar[str] = "aggTrade"

    number: int = msgspec.field(name="a")
    s: str
    p: Positive
    q: Positive
    T: Millis
    m: bool
    st: int = USD_M


class RawTrade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="trade"):
    """One fill. `X` tells what kind of trade it is."""

    stream: ClassVar[str] = "trade"

    T: Millis
    s: str
    number: int = msgspec.field(name="t")
    p: Amount
    q: Amount
    X: str = ""
    m: bool
    st: int = USD_M


class Order(msgspec.Struct, gc=False):
    """The order that closes a position; `ap` and `z` are what was paid and filled."""

    s: str
    S: str
    ap: Amount
    X: str
    z: Amount
    T: Millis
    st: int = USD_M


class ForceOrder(msgspec.Struct, gc=False, tag_field="e", tag="forceOrder"):
    """A liquidation."""

    o: Order
    st: int = USD_M


class Mark(msgspec.Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    """A contract's mark and index price."""

    E: Millis
    s: str
    p: Amount
    i: Amount = 0.0
    st: int = USD_M


Row = AggTrade | RawTrade | ForceOrder | Mark
KINDS: Final = {"aggTrade", "trade", "forceOrder", "markPriceUpdate"}


class Combined(msgspec.Struct, gc=False):
    """An aggregated trade in a frame of a combined stream."""

    data: AggTrade


class Envelope(msgspec.Struct, gc=False):
    """Anything that is not in the usual order of fields, or no market data at all."""

    e: str = ""
    stream: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    lastUpdateId: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


read: Final[Callable[[bytes | msgspec.Raw], Row]] = decoder(Row)
read_agg_trade = decoder(AggTrade)
read_combined = decoder(Combined)
read_envelope = decoder(Envelope)
read_marks = decoder(list[Mark])
read_envelopes = decoder(list[Envelope])
