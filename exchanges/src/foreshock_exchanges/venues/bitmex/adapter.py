"""BitMEX: websocket frames.

https://www.bitmex.com/app/wsAPI
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, MarketEvent, OtherStream, Parsed
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts, by_instrument
from foreshock_exchanges.venue import FOR_LIFE, VenueAdapter, pages
from foreshock_exchanges.venues.bitmex import wire
from foreshock_exchanges.venues.bitmex.rest import FUNDING_H, BitmexRest
from foreshock_exchanges.wire import millis
from foreshock_schemas.events import Aggressor, Coverage, Position
from foreshock_schemas.ids import venue_id

_ARGS_A_MESSAGE: Final = 10
"""BitMEX takes 20, and fewer of long ones: https://github.com/BitMEX/api-connectors/issues/387"""
_SILENCE_S: Final = 60.0
"""Mark prices come every few seconds, on either channel's socket."""

# "side" is the side of the liquidation order: a Sell closes a long.
_LIQUIDATED: Final[dict[str, Position]] = {"Sell": "long", "Buy": "short"}
_AGGRESSOR: Final[dict[str, Aggressor]] = {"Sell": "sell", "Buy": "buy"}


class Bitmex(VenueAdapter):
    """Liquidation orders, trades and mark prices of BitMEX's perpetuals, inverse and linear.

    `liquidation` is a table of the liquidation orders that are in the book: an insert is a new
    one, of all it is to close, at its limit and without a time; updates and deletes are what
    becomes of it. Quanto contracts are left out (see `rest`).
    """

    name: ClassVar[str] = "bitmex"
    ws_url: ClassVar[str] = "wss://ws.bitmex.com"
    rest_url: ClassVar[str] = "https://www.bitmex.com"
    default_funding_interval_h: ClassVar[float] = FUNDING_H
    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "full",  # "Liquidation orders as they're entered into the book"
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(by_instrument(r"XBTUSD|[A-Z0-9]{1,20}USDT")))
        self.rest = BitmexRest(self.contracts)
        self._makers: dict[str, Callable[[wire.Frame, int], Parsed]] = {
            "liquidation": self._liquidations,
            "trade": self._trades,
            "instrument": self._marks,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return one socket; mark prices beside the channel prove that it lives."""
        if not symbols:
            return []
        if channel is Channel.LIQUIDATIONS:
            asked, marked = ["liquidation"], symbols[:FOR_LIFE]
        else:
            asked, marked = [f"trade:{symbol}" for symbol in symbols], symbols
        asked += [f"instrument:{symbol}" for symbol in marked]
        return [
            Feed(
                url=f"{ws_url}/realtime",
                hello=tuple(
                    json.dumps({"op": "subscribe", "args": page})
                    for page in pages(asked, _ARGS_A_MESSAGE)
                ),
                silence_s=_SILENCE_S,
                ping="ping",
            )
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns."""
        if frame == b"pong":
            return Ignored.PONG
        told = wire.read_frame(frame)
        if make := self._makers.get(told.table):
            return make(told, recv_ms)
        return OtherStream(told.table) if told.table else _why_ignored(told)

    def _liquidations(self, told: wire.Frame, recv_ms: int) -> Parsed:
        def liquidation(known: Contract, row: wire.Order) -> MarketEvent:
            return known.liquidation(
                venue_id(self.name, row.symbol, "liquidation", row.order_id),
                _LIQUIDATED[row.side],
                row.price,
                row.leaves,
                None,
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            )

        if told.action != "insert":
            return _no_news(told)
        rows = wire.read_orders(told.data)
        return self.each(rows, lambda row: row.symbol, liquidation)

    def _trades(self, told: wire.Frame, recv_ms: int) -> Parsed:
        def trade(known: Contract, row: wire.Trade) -> MarketEvent | None:
            if row.kind != "Regular":
                return None
            side, at_ms = _AGGRESSOR[row.side], millis(row.timestamp)
            return known.trade("trade", row.match_id, side, row.price, row.size, at_ms, recv_ms)

        if told.action != "insert":
            return _no_news(told)
        rows = wire.read_trades(told.data)
        return self.each(rows, lambda row: row.symbol, trade)

    def _marks(self, told: wire.Frame, recv_ms: int) -> Parsed:
        def mark(known: Contract, row: wire.Mark) -> MarketEvent:
            at_ms = millis(row.timestamp) if row.timestamp else None
            return known.mark(row.mark_price or 0.0, row.indicative_settle_price, at_ms, recv_ms)

        rows = [row for row in wire.read_marks(told.data) if row.mark_price]
        return self.each(rows, lambda row: row.symbol, mark) if rows else Ignored.UNCHANGED


def _no_news(told: wire.Frame) -> Ignored:
    if not told.action:
        raise ValueError(f"no action on {told.table}")
    return Ignored.SNAPSHOT if told.action == "partial" else Ignored.UNCHANGED


def _why_ignored(told: wire.Frame) -> Ignored:
    if told.error is not None:
        return Ignored.SUBSCRIBE_ERROR
    if told.info is None and told.success is None:
        raise ValueError("neither a table nor an answer")
    return Ignored.ACK
