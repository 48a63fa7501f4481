"""Bitget USDT perpetuals: websocket frames of its API v3.

https://www.bitget.com/api-doc/uta/websocket/public/Liquidation-Channel
https://www.bitget.com/api-doc/uta/websocket/public/Tickers-Channel
Bitget answers each subscription by itself, so that one it refuses leaves the others alone.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, MarkPrice, OtherStream, Parsed
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts, by_instrument
from foreshock_exchanges.venue import FOR_LIFE, VenueAdapter, pages
from foreshock_exchanges.venues.bitget import wire
from foreshock_exchanges.venues.bitget.rest import BitgetRest
from foreshock_schemas.events import Coverage, Liquidation, Position
from foreshock_schemas.ids import content_id

_MARKET: Final = "usdt-futures"
_TRADES: Final = "publicTrade"
_LIQUIDATIONS: Final = "liquidation"
_TICKERS: Final = "ticker"
_CONTRACTS_A_SOCKET: Final = 24
"""Bitget advises fewer than 50 subscriptions on a socket."""
_SUBSCRIPTIONS_A_MESSAGE: Final = 40
_SILENCE_S: Final = 30.0
"""Tickers come several times a second on each of our sockets."""
_ACKS: Final = {"subscribe", "unsubscribe"}

# "side" is the side of the *position*: buy means that a long was liquidated.
_LIQUIDATED: Final[dict[str, Position]] = {"buy": "long", "sell": "short"}


class Bitget(VenueAdapter):
    """Liquidations, trades and mark prices of Bitget's USDT-margined perpetuals.

    Liquidations may come 20 s late, many at once.
    """

    name: ClassVar[str] = "bitget"
    ws_url: ClassVar[str] = "wss://ws.bitget.com"
    rest_url: ClassVar[str] = "https://api.bitget.com"
    default_funding_interval_h: ClassVar[float] = 8.0

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        # Bitget says all; others have seen the largest long and short per contract and second
        Channel.LIQUIDATIONS: "unknown",
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(by_instrument(r"[A-Z0-9]{1,20}USDT")))
        self.rest = BitgetRest(self.contracts)
        self._readers: dict[str, Callable[[wire.Envelope, int], Parsed]] = {
            _TRADES: self._trades,
            _LIQUIDATIONS: self._liquidations,
            _TICKERS: self._marks,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; mark prices beside it prove that they live."""
        followed = symbols[:FOR_LIFE] if channel is Channel.LIQUIDATIONS else symbols
        return [
            Feed(
                url=f"{ws_url}/v3/ws/public",
                hello=tuple(_hello(channel, page)),
                silence_s=_SILENCE_S,
                ping="ping",
            )
            for page in pages(followed, _CONTRACTS_A_SOCKET)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns, or raise one of `BROKEN`."""
        if frame == b"pong":
            return Ignored.PONG
        envelope = wire.read_envelope(frame)
        if envelope.event:
            return _answer(envelope.event)
        read = self._readers.get(envelope.arg.topic)
        if read is None:
            return OtherStream(_name(envelope.arg))
        if envelope.arg.instType != _MARKET:
            return Ignored.OTHER_MARKET
        return read(envelope, recv_ms)

    def _trades(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        if envelope.action != "update":  # the first push is history
            return Ignored.SNAPSHOT
        rows = wire.read_trades(envelope.data)
        return self.each(
            sorted(rows, key=lambda row: (row.T, row.i)),  # they come newest first
            lambda _: envelope.arg.symbol,
            lambda contract, row: contract.trade(
                _TRADES, row.i, row.S, row.p, row.v, row.T, recv_ms
            ),
        )

    def _liquidations(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        if envelope.action != "update":
            return Ignored.SNAPSHOT
        return self.each(
            wire.read_liquidated(envelope.data),
            lambda row: row.symbol,
            lambda contract, row: self._liquidation(contract, row, recv_ms),
        )

    def _liquidation(self, contract: Contract, row: wire.Liquidated, recv_ms: int) -> Liquidation:
        said = (row.side, row.price, row.amount, row.ts)
        return contract.liquidation(
            content_id("bitget", row.symbol, _LIQUIDATIONS, *said),
            _LIQUIDATED[row.side],
            row.price,
            row.amount / (row.price * contract.size),  # "amount" is in USDT
            row.ts,
            recv_ms,
            self.coverage[Channel.LIQUIDATIONS],
        )

    def _marks(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        return self.each(
            wire.read_marks(envelope.data),
            lambda _: envelope.arg.symbol,
            lambda contract, row: _mark(contract, row, envelope.ts, recv_ms),
        )


def _mark(contract: Contract, row: wire.Mark, at_ms: int, recv_ms: int) -> MarkPrice | None:
    if not row.mark_price:
        return None
    return contract.mark(row.mark_price, row.index_price, at_ms or None, recv_ms)


def _answer(event: str) -> Ignored | OtherStream:
    if event == "error":
        return Ignored.SUBSCRIBE_ERROR
    return Ignored.ACK if event in _ACKS else OtherStream(event)


def _name(arg: wire.Arg) -> str:
    return arg.topic or f"{arg.instType}/{arg.channel}"


def _hello(channel: Channel, symbols: Sequence[str]) -> list[str]:
    topics = [_TRADES, _TICKERS] if channel is Channel.TRADES else [_TICKERS]
    args = [
        {"instType": _MARKET, "topic": topic, "symbol": symbol}
        for topic in topics
        for symbol in symbols
    ]
    if channel is Channel.LIQUIDATIONS:
        args.insert(0, {"instType": _MARKET, "topic": _LIQUIDATIONS})
    return [
        json.dumps({"op": "subscribe", "args": page})
        for page in pages(args, _SUBSCRIPTIONS_A_MESSAGE)
    ]
