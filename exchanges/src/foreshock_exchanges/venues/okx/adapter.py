"""OKX v5 perpetual swaps: websocket frames.

https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel
https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-trades-channel
Port 8443 has been closed since 2026-10-31.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

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
from foreshock_exchanges.contracts import Contracts, by_instrument
from foreshock_exchanges.venue import VenueAdapter
from foreshock_exchanges.venues.okx import channels, wire
from foreshock_exchanges.venues.okx.rest import DEFAULT_FUNDING_H, OkxRest
from foreshock_schemas.events import AHEAD_MS, Coverage, Liquidation, Position, Trade
from foreshock_schemas.ids import content_id, venue_id

_SILENCE_S: Final = 30.0
"""A mark price comes every 10 s though it does not change; OKX, too, closes after 30 s."""
_PING_EVERY_S: Final = 20.0
_TRADES: Final = b'{"arg":{"channel":"trades",'
_SERVICE_UPGRADE: Final = "64008"

# `side` is that of the order that closes the position.
_LIQUIDATED: Final[dict[str, Position]] = {"sell": "long", "buy": "short"}
_HELD: Final[dict[str, Position]] = {"long": "long", "short": "short"}


class Okx(VenueAdapter):
    """Liquidations, trades, marks and open interest of OKX's perpetual swaps.

    Sizes are in contracts whose size OKX can change, so nothing is told of a swap before its
    instrument is learned.
    """

    name: ClassVar[str] = "okx"
    ws_url: ClassVar[str] = "wss://ws.okx.com"
    rest_url: ClassVar[str] = "https://openapi.okx.com"
    default_funding_interval_h: ClassVar[float] = DEFAULT_FUNDING_H

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "sampled",  # they "may not represent the total"
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(Contracts(by_instrument(r"[A-Z0-9]{1,20}-(USDT|USDC|USD)-SWAP")))
        self.rest = OkxRest(self.contracts)
        self._known = self.contracts.known
        self._marks: dict[str, float] = {}
        self._makers: dict[str, Callable[[bytes, int], Parsed]] = {
            "trades": self._trades,
            "liquidation-orders": self._liquidations,
            "mark-price": self._mark_prices,
            "open-interest": self._open_interests,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; mark prices beside it prove that they live."""
        return [
            Feed(
                url=f"{ws_url}/ws/v5/public",
                hello=channels.requests(page),
                retry=channels.requests(page, 1),
                silence_s=_SILENCE_S,
                ping="ping",
                ping_every_s=_PING_EVERY_S,
            )
            for page in channels.of(channel, symbols)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none."""
        if frame.startswith(_TRADES):
            return self._trades(frame, recv_ms)
        if frame == b"pong":
            return Ignored.PONG
        envelope = wire.read_envelope(frame)
        make = self._makers.get(envelope.arg.channel)
        if envelope.event or make is None:
            return _why_ignored(envelope)
        return make(frame, recv_ms)

    def _trades(self, frame: bytes, recv_ms: int) -> Parsed:
        said = wire.read_trades(frame)
        symbol = said.arg.inst_id
        contract = self._known.get(symbol)
        if contract.__class__ is not Contract or contract.inverse:
            return self._unusual_trades(said, recv_ms)
        coin, multiplier, contract_size = contract.coin, contract.multiplier, contract.size
        latest_ms = recv_ms + AHEAD_MS
        trades: list[MarketEvent | Unsized] = []
        for row in said.data:
            at_ms = row.ts
            if latest_ms < at_ms:
                check_time(at_ms, recv_ms)
            price, size = row.px, row.sz * contract_size
            number = row.number if row.count == 1 else wire.numbers(row)
            trades.append(
                Trade(
                    event_id=f"okx:{symbol}:trades:{number}",
                    ts_event_ms=at_ms,
                    ts_recv_ms=recv_ms,
                    exchange="okx",
                    symbol=symbol,
                    coin=coin,
                    aggressor=row.side,
                    price=price / multiplier,
                    size_coins=size * multiplier,
                    notional_usd=price * size,
                )
            )
        return trades or Ignored.EMPTY

    def _unusual_trades(self, said: wire.Trades, recv_ms: int) -> Parsed:
        def event(contract: Contract, row: wire.TradeRow) -> MarketEvent:
            return contract.trade(
                "trades", wire.numbers(row), row.side, row.px, row.sz, row.ts, recv_ms
            )

        return self.each(said.data, lambda _: said.arg.inst_id, event)

    def _liquidations(self, frame: bytes, recv_ms: int) -> Parsed:
        def event(contract: Contract, row: tuple[str, wire.Detail]) -> Liquidation:
            symbol, said = row
            content = (said.side, said.ts, said.sz, said.bk_px)
            return contract.liquidation(
                content_id("okx", symbol, "liquidation-orders", *content),
                _HELD.get(said.pos_side) or _LIQUIDATED[said.side],
                said.bk_px,
                said.sz,
                said.ts,
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            )

        rows = wire.read_liquidations(frame).data
        details = ((row.inst_id, detail) for row in rows for detail in row.details)
        return self.each(details, lambda row: row[0], event)

    def _mark_prices(self, frame: bytes, recv_ms: int) -> Parsed:
        def event(contract: Contract, row: wire.MarkRow) -> MarketEvent:
            mark = contract.mark(row.mark_px, None, row.ts, recv_ms)
            self._marks[row.inst_id] = row.mark_px
            return mark

        return self.each(wire.read_marks(frame).data, lambda row: row.inst_id, event)

    def _open_interests(self, frame: bytes, recv_ms: int) -> Parsed:
        def event(contract: Contract, row: wire.OpenInterestRow) -> MarketEvent:
            said = contract.premium(self._marks[row.inst_id], None, None, row.ts)
            number = venue_id("okx", contract.symbol, "open-interest", row.ts)
            coins = row.oi_ccy * contract.multiplier
            return contract.open_interest(number, coins, said, recv_ms)

        rows = wire.read_open_interests(frame).data
        marked = [row for row in rows if row.inst_id in self._marks]
        return self.each(marked, lambda row: row.inst_id, event)


def _why_ignored(envelope: wire.Envelope) -> Ignored | OtherStream:
    if envelope.event == "error":
        return Ignored.SUBSCRIBE_ERROR
    if envelope.event in {"subscribe", "unsubscribe"}:
        return Ignored.ACK
    if envelope.event == "notice" and envelope.code == _SERVICE_UPGRADE:
        return Ignored.SHUTDOWN
    return OtherStream(envelope.event or envelope.arg.channel)
