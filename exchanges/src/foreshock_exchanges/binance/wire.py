"""The frames of Binance USD-M futures as they are on the wire, with Binance's own field names.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec

USD_M: Final = 1
"""What `st` says of the market that is ours; other numbers are other markets."""

_Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e15)]
_Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e15)]
_Time = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]


class AggTrade(msgspec.Struct, gc=False):
    """A taker order's fills at one price. `m`: the buyer is the maker."""

    s: str
    a: int
    p: _Positive
    q: _Positive
    T: _Time
    m: bool
    st: int = USD_M


class RawTrade(msgspec.Struct, gc=False):
    """One fill. `X` tells what kind of trade it is."""

    s: str
    t: int
    p: _Amount
    q: _Amount
    T: _Time
    m: bool
    X: str = ""
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


class ForceOrder(msgspec.Struct, gc=False):
    """A liquidation."""

    o: Order
    st: int = USD_M


class Mark(msgspec.Struct, gc=False):
    """A contract's mark and index price."""

    e: str
    E: _Time
    s: str
    p: _Amount
    i: _Amount = 0.0
    st: int = USD_M


class Envelope(msgspec.Struct, gc=False):
    """Anything that is not in the usual order of fields, or no market data at all."""

    e: str = ""
    stream: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | msgspec.UnsetType = msgspec.UNSET
    lastUpdateId: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


def decoder(wire_type: Any) -> Callable[[bytes | memoryview], Any]:
    """Return what reads frames of one shape, prepared once. Binance quotes its numbers."""
    return msgspec.json.Decoder(wire_type, strict=False).decode


read_envelope = decoder(Envelope)
read_marks = decoder(list[Mark])
read_mark = decoder(Mark)
