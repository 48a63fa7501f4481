"""The frames of Binance USD-M futures as they are on the wire, with Binance's own field names.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final

import msgspec

USD_M: Final = 1
"""What `st` says of the market that is ours; other numbers are other markets."""

_Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e15)]
_Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e15)]
_Time = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]


class AggTrade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="aggTrade"):
    """A taker order's fills at one price. `m`: the buyer is the maker."""

    stream: ClassVar[str] = "aggTrade"

    number: int = msgspec.field(name="a")
    s: str
    p: _Positive
    q: _Positive
    T: _Time
    m: bool
    st: int = USD_M


class RawTrade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="trade"):
    """One fill. `X` tells what kind of trade it is."""

    stream: ClassVar[str] = "trade"

    T: _Time
    s: str
    number: int = msgspec.field(name="t")
    p: _Amount
    q: _Amount
    X: str = ""
    m: bool
    st: int = USD_M


class Order(msgspec.Struct, gc=False):
    """The order that closes a position; `ap` and `z` are what was paid and filled."""

    s: str
    S: str
    ap: _Amount
    X: str
    z: _Amount
    T: _Time
    st: int = USD_M


class ForceOrder(msgspec.Struct, gc=False, tag_field="e", tag="forceOrder"):
    """A liquidation."""

    o: Order
    st: int = USD_M


class Mark(msgspec.Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    """A contract's mark and index price."""

    E: _Time
    s: str
    p: _Amount
    i: _Amount = 0.0
    st: int = USD_M


Row = AggTrade | RawTrade | ForceOrder | Mark
KINDS: Final = {"aggTrade", "trade", "forceOrder", "markPriceUpdate"}


class Combined(msgspec.Struct, gc=False):
    """A frame of a combined stream."""

    data: Row


class Envelope(msgspec.Struct, gc=False):
    """Anything that is not in the usual order of fields, or no market data at all."""

    e: str = ""
    stream: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | msgspec.UnsetType = msgspec.UNSET
    lastUpdateId: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


def _decoder(wire_type: Any) -> Callable[[bytes], Any]:
    """Return what reads frames of one shape, prepared once. Binance quotes its numbers."""
    return msgspec.json.Decoder(wire_type, strict=False).decode


read: Final[Callable[[bytes], Row]] = _decoder(Row)
read_combined: Final[Callable[[bytes], Combined]] = _decoder(Combined)
read_envelope: Final[Callable[[bytes], Envelope]] = _decoder(Envelope)
read_marks: Final[Callable[[bytes], list[Mark]]] = _decoder(list[Mark])
read_envelopes: Final[Callable[[bytes], list[Envelope]]] = _decoder(list[Envelope])
