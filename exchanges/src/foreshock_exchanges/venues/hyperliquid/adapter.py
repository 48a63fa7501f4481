"""Hyperliquid: websocket frames.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
There is no public liquidation feed: no stream of the market's liquidations is documented, public
trades carry no mark of them (https://github.com/nktkas/hyperliquid/issues/17), and only the user
concerned sees `liquidation` in its own fills.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, MarketEvent, OtherStream, Parsed
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.venue import VenueAdapter
from foreshock_exchanges.venues.hyperliquid import wire
from foreshock_exchanges.venues.hyperliquid.names import contract_by_name
from foreshock_exchanges.venues.hyperliquid.rest import FUNDING_H, HyperliquidRest, premium_of
from foreshock_schemas.events import Aggressor, Coverage
from foreshock_schemas.ids import content_id

_WELCOME: Final = b"Websocket connection established."
_SILENCE_S: Final = 30.0
"""Contexts of our contracts come every few seconds."""
_PING: Final = '{"method":"ping"}'
_PING_EVERY_S: Final = 30.0
"""The venue closes what was silent for 60 s."""

_KINDS: Final = {Channel.TRADES: ("trades", "activeAssetCtx")}
_AGGRESSOR: Final[dict[str, Aggressor]] = {"B": "buy", "A": "sell"}
_WORDS: Final = {
    "pong": Ignored.PONG,
    "subscriptionResponse": Ignored.ACK,
    "error": Ignored.SUBSCRIBE_ERROR,
}


class Hyperliquid(VenueAdapter):
    """Trades, mark prices and open interest of Hyperliquid's own perpetuals.

    The first trades after a subscription are history; their shape does not tell. `tid` is no
    count. `allDexsAssetCtxs` has figures without names, in the order of a list that it does not
    tell, so that contexts are asked for contract by contract.
    """

    name: ClassVar[str] = "hyperliquid"
    ws_url: ClassVar[str] = "wss://api.hyperliquid.xyz"
    rest_url: ClassVar[str] = "https://api.hyperliquid.xyz"
    default_funding_interval_h: ClassVar[float] = FUNDING_H
    coverage: ClassVar[Mapping[Channel, Coverage]] = {Channel.TRADES: "full"}
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(contract_by_name))
        self.rest = HyperliquidRest(self.contracts)
        self._makers: dict[str, Callable[[bytes, int], Parsed]] = {
            "trades": self._trades,
            "activeAssetCtx": self._context,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return one socket, if anything is asked for.

        An address may open 10, with 1,000 subscriptions in all: 500 contracts.
        """
        asked = [
            {"method": "subscribe", "subscription": {"type": kind, "coin": symbol}}
            for kind in _KINDS.get(channel, ())
            for symbol in symbols
        ]
        if not asked:
            return []
        return [
            Feed(
                url=f"{ws_url}/ws",
                hello=tuple(json.dumps(each) for each in asked),
                silence_s=_SILENCE_S,
                pace_s=0.05,
                ping=_PING,
                ping_every_s=_PING_EVERY_S,
            )
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns."""
        if frame == _WELCOME:
            return Ignored.ACK
        told = wire.read_frame(frame)
        if make := self._makers.get(told.channel):
            return make(bytes(told.data), recv_ms)
        return _WORDS.get(told.channel) or OtherStream(told.channel)

    def _trades(self, data: bytes, recv_ms: int) -> Parsed:
        def trade(known: Contract, row: wire.Trade) -> MarketEvent:
            side = _AGGRESSOR[row.side]
            return known.trade("trades", row.tid, side, row.px, row.sz, row.time, recv_ms)

        rows = wire.read_trades(data)
        return self.each(rows, lambda row: row.coin, trade)

    def _context(self, data: bytes, recv_ms: int) -> Parsed:
        told = wire.read_context(data)
        known = self.contracts.sized(told.coin)
        if known is None:
            return Ignored.OTHER_MARKET
        if not (price := told.ctx.mark_px):
            return Ignored.EMPTY
        mark = known.mark(price, told.ctx.oracle_px, None, recv_ms)
        premium = premium_of(known, told.ctx, price, recv_ms)
        coins = told.ctx.open_interest * known.multiplier
        said = (coins, premium.mark_price, premium.funding_rate or 0.0)
        number = content_id(self.name, known.symbol, "activeAssetCtx", *said)
        return [mark, known.open_interest(number, coins, premium, recv_ms)]
