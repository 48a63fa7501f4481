"""Kraken Futures: websocket frames.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade
https://docs.kraken.com/exchange/api-reference/futures-websocket/ticker
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, OtherStream, Parsed, Unsized
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.venue import VenueAdapter, pages
from foreshock_exchanges.venues.kraken import products, wire
from foreshock_exchanges.venues.kraken.rest import FUNDING_H, KrakenRest
from foreshock_schemas.events import Aggressor, Coverage, Position
from foreshock_schemas.ids import venue_id

_FEEDS: Final = ("trade", "ticker")
_PRODUCTS_A_MESSAGE: Final = 50
_SILENCE_S: Final = 30.0
"""The ticker of a product comes every second when something in it changes."""

# "side" is the taker's, and the taker of a liquidation is who was liquidated.
_LIQUIDATED: Final[dict[str, Position]] = {"sell": "long", "buy": "short"}
_AGGRESSOR: Final[dict[str, Aggressor]] = {"sell": "sell", "buy": "buy"}
_TRADED: Final = {"fill", "liquidation"}
"""Assignments and terminations move positions without the book, blocks are agreed elsewhere."""

_WORDS: Final = {
    "info": Ignored.ACK,
    "subscribed": Ignored.ACK,
    "unsubscribed": Ignored.ACK,
    "pong": Ignored.PONG,
    "subscribed_failed": Ignored.SUBSCRIBE_ERROR,
    "alert": Ignored.SUBSCRIBE_ERROR,
    "error": Ignored.SUBSCRIBE_ERROR,
}


class Kraken(VenueAdapter):
    """Trades, liquidations among them, mark prices and open interest of Kraken's perpetuals.

    `seq` counts a product's trades (a snapshot's hundred follow each other without a hole), but
    also those of types that are none of the market's, so that a hole in ours would not show
    what was lost: trades are told apart by their `uid`.
    """

    name: ClassVar[str] = "kraken"
    ws_url: ClassVar[str] = "wss://futures.kraken.com"
    rest_url: ClassVar[str] = "https://futures.kraken.com"
    default_funding_interval_h: ClassVar[float] = FUNDING_H
    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "full",  # every trade is shown, with its type
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(products.unsized))
        self.rest = KrakenRest(self.contracts)
        self._makers: dict[str, Callable[[bytes, int], Parsed]] = {
            "trade": self._trade,
            "ticker": self._ticker,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return one socket with the products' trades, for either channel, and their tickers."""
        if not symbols:
            return []
        return [
            Feed(
                url=f"{ws_url}/ws/v1",
                hello=tuple(_subscriptions(pages(symbols, _PRODUCTS_A_MESSAGE))),
                retry=tuple(_subscriptions([[symbol] for symbol in symbols])),
                silence_s=_SILENCE_S,
            )
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns."""
        head = wire.read_head(frame)
        if head.event:
            return _WORDS.get(head.event) or OtherStream(head.event)
        if make := self._makers.get(head.feed):
            return make(frame, recv_ms)
        if head.feed == "trade_snapshot":
            return Ignored.SNAPSHOT
        if not head.feed:
            raise ValueError("neither an event nor a feed")
        return OtherStream(head.feed)

    def _trade(self, frame: bytes, recv_ms: int) -> Parsed:
        row = wire.read_trade(frame)
        known = self.contracts.find(products.normal(row.product_id))
        if known is None:
            return Ignored.OTHER_MARKET
        if row.type not in _TRADED:
            return Ignored.NOT_MARKET
        if isinstance(known, Unsized):
            return [known]
        side = _AGGRESSOR[row.side]
        trade = known.trade("trade", row.uid, side, row.price, row.qty, row.time, recv_ms)
        if row.type == "fill":
            return [trade]
        liquidation = known.liquidation(
            venue_id(self.name, known.symbol, "liquidation", row.uid),
            _LIQUIDATED[row.side],
            row.price,
            row.qty,
            row.time,
            recv_ms,
            self.coverage[Channel.LIQUIDATIONS],
        )
        return [trade, liquidation]

    def _ticker(self, frame: bytes, recv_ms: int) -> Parsed:
        row = wire.read_ticker(frame)
        known = self.contracts.find(products.normal(row.product_id))
        if known is None:
            return Ignored.OTHER_MARKET
        if isinstance(known, Unsized):
            return [known]
        if not row.mark:
            return Ignored.EMPTY
        mark = known.mark(row.mark, row.index, row.time, recv_ms)
        premium = known.premium(
            row.mark,
            row.index,
            row.relative_funding_rate,
            row.time,
            funding_interval_h=FUNDING_H,
            next_funding_ms=row.next_funding_rate_time,
        )
        number = venue_id(self.name, known.symbol, "ticker", row.time)
        coins = known.coins(row.mark, row.open_contracts)
        return [mark, known.open_interest(number, coins, premium, recv_ms)]


def _subscriptions(groups: Sequence[Sequence[str]]) -> list[str]:
    return [
        json.dumps({"event": "subscribe", "feed": feed, "product_ids": list(group)})
        for group in groups
        for feed in _FEEDS
    ]
