"""HTX USDT-margined swaps: websocket frames, every one of them packed with gzip.

https://www.htx.com/en-us/opend/newApiPages/ (trades 8cb7cab7, liquidations 8cb7e25d)
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal

import msgspec

from foreshock_exchanges.base import Answer, Channel, Feed, Ignored, OtherStream, Parsed, Unsized
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.venue import VenueAdapter, pages
from foreshock_exchanges.venues.htx.rest import SIDES_COUNTED, HtxRest
from foreshock_exchanges.wire import Millis, Positive, decoder, gunzip
from foreshock_schemas.events import Coverage, Position
from foreshock_schemas.ids import content_id

_TRADES: Final = "trade.detail"
_LIQUIDATIONS: Final = "liquidation_orders"
_FUNDING: Final = "funding_rate"
_CONTRACTS_A_SOCKET: Final = 100
_TRADES_SILENCE_S: Final = 60.0
_FUNDING_SILENCE_S: Final = 180.0
"""Funding rates of all contracts come each minute beside the liquidations."""
_OURS: Final = re.compile(r"[A-Z0-9]{1,20}-USDT")

# "direction" is the side of the liquidation order: a sell that closes was a long.
_LIQUIDATED: Final[dict[str, Position]] = {"sell": "long", "buy": "short"}


class _Frame(msgspec.Struct, gc=False, rename={"err_code": "err-code"}):
    """Both hosts' words: `ch`, `subbed`, `ping`, `status` of one, `op`, `topic` of the other."""

    ch: str = ""
    topic: str = ""
    op: str = ""
    ping: int | None = None
    ts: int | None = None
    status: str = ""
    subbed: str = ""
    err_code: int | str = 0
    tick: msgspec.Raw = msgspec.Raw(b"{}")
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Trade(msgspec.Struct, gc=False):
    id: int
    ts: Millis
    direction: Literal["buy", "sell"]
    price: Positive
    amount: Positive


class _Tick(msgspec.Struct, gc=False):
    data: list[_Trade]


class _Order(msgspec.Struct, gc=False):
    contract_code: str
    direction: Literal["buy", "sell"]
    price: Positive
    volume: Positive
    created_at: Millis


_read = decoder(_Frame)
_tick = decoder(_Tick)
_orders = decoder(list[_Order])


class Htx(VenueAdapter):
    """Liquidations and trades of HTX's USDT-margined swaps."""

    name: ClassVar[str] = "htx"
    ws_url: ClassVar[str] = "wss://api.hbdm.com"
    rest_url: ClassVar[str] = "https://api.hbdm.com"
    default_funding_interval_h: ClassVar[float] = 8.0
    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "unknown",
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(_rule))
        self.rest = HtxRest(self.contracts)

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; liquidations of all contracts have a host."""
        if channel is Channel.LIQUIDATIONS:
            topics = (f"public.*.{topic}" for topic in (_LIQUIDATIONS, _FUNDING))
            return [
                Feed(
                    url=f"{ws_url}/linear-swap-notification",
                    hello=tuple(json.dumps({"op": "sub", "topic": topic}) for topic in topics),
                    silence_s=_FUNDING_SILENCE_S,
                )
            ]
        return [
            Feed(
                url=f"{ws_url}/linear-swap-ws",
                hello=tuple(
                    json.dumps({"sub": f"market.{symbol}.{_TRADES}", "id": symbol})
                    for symbol in page
                ),
                silence_s=_TRADES_SILENCE_S,
                pace_s=0.05,
            )
            for page in pages(symbols, _CONTRACTS_A_SOCKET)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none."""
        said: _Frame = _read(gunzip(frame))
        if said.ping is not None:
            return Answer(json.dumps({"pong": said.ping}))
        _, _, stream = (said.ch or said.topic).split(".", 2) if said.ch or said.topic else ("",) * 3
        if said.ch and stream == _TRADES:
            return self._trades(said, recv_ms)
        if said.op == "notify" and stream == _LIQUIDATIONS:
            return self._liquidations(said, recv_ms)
        return _why_ignored(said, stream)

    def _trades(self, said: _Frame, recv_ms: int) -> Parsed:
        symbol = said.ch.split(".", 2)[1]
        return self.each(
            _tick(said.tick).data,
            lambda _: symbol,
            lambda known, row: known.trade(
                _TRADES,
                row.id,
                row.direction,
                row.price,
                row.amount / SIDES_COUNTED,
                row.ts,
                recv_ms,
            ),
        )

    def _liquidations(self, said: _Frame, recv_ms: int) -> Parsed:
        return self.each(
            _orders(said.data),
            lambda row: row.contract_code,
            lambda known, row: known.liquidation(
                content_id(
                    "htx",
                    row.contract_code,
                    _LIQUIDATIONS,
                    *(row.direction, row.price, row.volume, row.created_at),
                ),
                _LIQUIDATED[row.direction],
                row.price,
                row.volume,
                row.created_at,
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            ),
        )


def _rule(symbol: str) -> Unsized | None:
    """Know a swap by its name, which a future's is longer than; its size is not in there."""
    return Unsized(symbol) if _OURS.fullmatch(symbol) else None


def _why_ignored(said: _Frame, stream: str) -> Answer | Ignored | OtherStream:
    if said.op == "ping":
        return Answer(json.dumps({"op": "pong", "ts": said.ts}))
    if said.status == "error" or said.err_code not in {0, "0"} or said.op == "error":
        return Ignored.SUBSCRIBE_ERROR
    if said.op == "close":
        return Ignored.SHUTDOWN
    if said.subbed or said.op == "sub":
        return Ignored.ACK
    if said.op == "notify" and stream == _FUNDING:
        return Ignored.ALIVE
    return OtherStream(stream or said.op)
