"""Bybit v5 linear perpetuals: websocket frames.

https://bybit-exchange.github.io/docs/v5/ws/connect
https://bybit-exchange.github.io/docs/v5/websocket/public/trade
https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from foreshock_exchanges.base import (
    Channel,
    Feed,
    Ignored,
    MarketEvent,
    OtherStream,
    Parsed,
    Unsized,
)
from foreshock_exchanges.contract import Contract, check_time
from foreshock_exchanges.contracts import Contracts, by_name
from foreshock_exchanges.venue import VenueAdapter
from foreshock_exchanges.venues.bybit import topics, wire
from foreshock_exchanges.venues.bybit.rest import DEFAULT_FUNDING_H, BybitRest
from foreshock_exchanges.venues.bybit.tickers import Tickers
from foreshock_schemas.events import AHEAD_MS, Coverage, Position, Trade
from foreshock_schemas.ids import content_id

_SILENCE_S: Final = 30.0
"""Tickers come ten times a second where anything changes."""
_TRADES: Final = b'{"topic":"publicTrade.'
_SYMBOL_AT: Final = len("publicTrade.")
_TICKER: Final = b'{"topic":"tickers.'

# "S" is the side of the position: "When you receive a `Buy` update, this means that a long
# position has been liquidated" (docs/v5/websocket/public/all-liquidation).
_LIQUIDATED: Final[dict[str, Position]] = {"Buy": "long", "Sell": "short"}


class Bybit(VenueAdapter):
    """Liquidations, trades, marks and open interest of Bybit's USDT-margined perpetuals."""

    name: ClassVar[str] = "bybit"
    ws_url: ClassVar[str] = "wss://stream.bybit.com"
    rest_url: ClassVar[str] = "https://api.bybit.com"
    default_funding_interval_h: ClassVar[float] = DEFAULT_FUNDING_H

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "full",
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False  # trades have UUIDs, and `seq` is shared and has holes

    def __init__(self) -> None:
        super().__init__(Contracts(by_name(self.name, r"([A-Z0-9]{1,20})USDT")))
        self.rest = BybitRest(self.contracts)
        self._known = self.contracts.known
        self._tickers = Tickers(self._known)
        self._makers: dict[str, Callable[[bytes, int], Parsed]] = {
            "publicTrade": self._trades,
            "allLiquidation": self._liquidations,
            "tickers": self._ticker,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; tickers beside it prove that they live."""
        return [
            Feed(
                url=f"{ws_url}/v5/public/linear",
                hello=topics.requests(page),
                retry=topics.requests(page, 1),
                silence_s=_SILENCE_S,
                ping=topics.PING,
            )
            for page in topics.of(channel, symbols)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none."""
        if frame.startswith(_TRADES):
            return self._trades(frame, recv_ms)
        if frame.startswith(_TICKER):
            return self._ticker(frame, recv_ms)
        envelope = wire.read_envelope(frame)
        kind = envelope.topic.partition(".")[0]
        make = self._makers.get(kind)
        return make(frame, recv_ms) if make else _why_ignored(envelope, kind)

    def _trades(self, frame: bytes, recv_ms: int) -> Parsed:
        said = wire.read_trades(frame)
        symbol = said.topic[_SYMBOL_AT:]
        contract = self._known.get(symbol)
        if contract.__class__ is not Contract:
            contract = self.contracts.sized(symbol)
        if contract is None:
            return Ignored.OTHER_MARKET
        prefix, latest_ms = f"bybit:{symbol}:publicTrade:", recv_ms + AHEAD_MS
        coin, multiplier = contract.coin, contract.multiplier
        trades: list[MarketEvent | Unsized] = []
        for row in said.data:
            if latest_ms < row.T:
                check_time(row.T, recv_ms)
            if row.BT:
                continue
            price, size = row.p, row.v
            trades.append(
                Trade(
                    event_id=prefix + row.i,
                    ts_event_ms=row.T,
                    ts_recv_ms=recv_ms,
                    exchange="bybit",
                    symbol=symbol,
                    coin=coin,
                    aggressor="buy" if row.S == "Buy" else "sell",
                    price=price / multiplier,
                    size_coins=size * multiplier,
                    notional_usd=price * size,
                )
            )
        return trades or (Ignored.NOT_MARKET if said.data else Ignored.EMPTY)

    def _liquidations(self, frame: bytes, recv_ms: int) -> Parsed:
        def event(contract: Contract, row: wire.LiquidationRow) -> MarketEvent:
            return contract.liquidation(
                content_id("bybit", row.s, "allLiquidation", row.S, row.T, row.v, row.p),
                _LIQUIDATED[row.S],
                row.p,
                row.v,
                row.T,
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            )

        return self.each(wire.read_liquidations(frame).data, lambda row: row.s, event)

    def _ticker(self, frame: bytes, recv_ms: int) -> Parsed:
        said = wire.read_ticker(frame)
        contract = self.contracts.sized(said.data.symbol)
        if contract is None:
            return Ignored.OTHER_MARKET
        return self._tickers.take(said, contract, recv_ms)


def _why_ignored(envelope: wire.Envelope, kind: str) -> Ignored | OtherStream:
    if envelope.op in {"ping", "pong"}:
        return Ignored.PONG
    if envelope.success is msgspec.UNSET:
        return OtherStream(kind or envelope.op)
    return Ignored.ACK if envelope.success else Ignored.SUBSCRIBE_ERROR
