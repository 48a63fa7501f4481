"""dYdX v4: frames of the indexer's websocket.

https://docs.dydx.exchange/api_integration-indexer/indexer_websocket
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, MarketEvent, OtherStream, Parsed
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts, by_name
from foreshock_exchanges.venue import VenueAdapter, pages
from foreshock_exchanges.venues.dydx import wire
from foreshock_exchanges.venues.dydx.rest import FUNDING_H, DydxRest
from foreshock_exchanges.wire import millis
from foreshock_schemas.events import Aggressor, Coverage, Position
from foreshock_schemas.ids import venue_id

_SUBSCRIPTIONS_A_SOCKET: Final = 32
"""Of one channel."""
_PACE_S: Final = 0.55
"""A socket takes two subscriptions a second."""
_SILENCE_S: Final = 60.0
"""Oracle prices come every few seconds."""

# "side" is the taker's, and the taker of a LIQUIDATED trade is who was liquidated.
_LIQUIDATED: Final[dict[str, Position]] = {"SELL": "long", "BUY": "short"}
_AGGRESSOR: Final[dict[str, Aggressor]] = {"SELL": "sell", "BUY": "buy"}
_WORDS: Final = {
    "connected": Ignored.ACK,
    "unsubscribed": Ignored.ACK,
    "subscribed": Ignored.SNAPSHOT,
    "error": Ignored.SUBSCRIBE_ERROR,
}


class Dydx(VenueAdapter):
    """Trades, liquidations among them, and oracle prices, which dYdX marks positions by."""

    name: ClassVar[str] = "dydx"
    ws_url: ClassVar[str] = "wss://indexer.dydx.trade"
    rest_url: ClassVar[str] = "https://indexer.dydx.trade"
    default_funding_interval_h: ClassVar[float] = FUNDING_H
    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "full",  # every trade is shown, with its type
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        # names with commas are of tokens that are known by their address
        super().__init__(Contracts(by_name(self.name, r"([A-Z0-9]{1,20})-USD")))
        self.rest = DydxRest(self.contracts)

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry trades, for either channel, and the oracle prices."""
        return [
            Feed(
                url=f"{ws_url}/v4/ws",
                hello=(
                    json.dumps({"type": "subscribe", "channel": "v4_markets"}),
                    *(
                        json.dumps({"type": "subscribe", "channel": "v4_trades", "id": symbol})
                        for symbol in page
                    ),
                ),
                silence_s=_SILENCE_S,
                pace_s=_PACE_S,
            )
            for page in pages(symbols, _SUBSCRIPTIONS_A_SOCKET)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns."""
        told = wire.read_frame(frame)
        if told.type not in {"channel_data", "channel_batch_data"}:
            return _WORDS.get(told.type) or OtherStream(told.type)
        contents = bytes(told.contents)
        parts = contents if told.type == "channel_batch_data" else b"[" + contents + b"]"
        if told.channel == "v4_trades":
            return self._trades(told.id, parts, recv_ms)
        if told.channel == "v4_markets":
            return self._marks(parts, recv_ms)
        return OtherStream(told.channel)

    def _trades(self, symbol: str, parts: bytes, recv_ms: int) -> Parsed:
        def trade(known: Contract, row: wire.Trade) -> MarketEvent | None:
            if row.type == "DELEVERAGED":
                return None  # two positions closed against each other: nobody traded in the book
            at_ms = millis(row.created_at)
            side = _AGGRESSOR[row.side]
            return known.trade("trades", row.id, side, row.price, row.size, at_ms, recv_ms)

        def liquidation(known: Contract, row: wire.Trade) -> MarketEvent:
            return known.liquidation(
                venue_id(self.name, symbol, "liquidations", row.id),
                _LIQUIDATED[row.side],
                row.price,
                row.size,
                millis(row.created_at),
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            )

        rows = [row for part in wire.read_trades(parts) for row in part.trades]
        liquidated = [row for row in rows if row.type == "LIQUIDATED"]
        traded = self.each(rows, lambda _row: symbol, trade)
        forced = self.each(liquidated, lambda _row: symbol, liquidation)
        if isinstance(traded, list) and isinstance(forced, list):
            return [*traded, *forced]
        return traded

    def _marks(self, parts: bytes, recv_ms: int) -> Parsed:
        def mark(known: Contract, row: tuple[str, wire.Oracle]) -> MarketEvent:
            price = row[1].oracle_price
            return known.mark(price, price, millis(row[1].effective_at), recv_ms)

        rows = [row for part in wire.read_updates(parts) for row in part.oracle_prices.items()]
        return self.each(rows, lambda row: row[0], mark) if rows else Ignored.UNCHANGED
