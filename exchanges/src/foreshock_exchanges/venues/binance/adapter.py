"""Binance USD-M futures: websocket frames.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
Since 2026-04-23 market streams come only on the routed path `/market`; elsewhere a subscription
is acknowledged and nothing follows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

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
from foreshock_exchanges.venue import BROKEN, VenueAdapter, malformed, pages
from foreshock_exchanges.venues.binance import streams, wire
from foreshock_exchanges.venues.binance.rest import DEFAULT_FUNDING_H, BinanceRest
from foreshock_schemas.events import AHEAD_MS, Aggressor, Coverage, Position, Trade
from foreshock_schemas.ids import content_id

_STREAMS_A_SOCKET: Final = 200
_LIFETIME_S: Final = 23 * 3600.0
_SILENCE_S: Final = 15.0
"""The mark price of all contracts comes every second on each of our sockets."""
_KIND: Final = ord("e")
"""The third byte of an event in a stream of its own; combined streams name theirs first."""

# "S" is the side of the liquidation order: a SELL closes a long.
_LIQUIDATED: Final[dict[str, Position]] = {"SELL": "long", "BUY": "short"}
_TRADED: Final = {"MARKET", "RPI", ""}
"""What a raw trade's X may say; INSURANCE_FUND, ADL and NA are not trades of the market."""


class Binance(VenueAdapter):
    """Liquidations, trades and mark prices of Binance's USDT-margined perpetuals."""

    name: ClassVar[str] = "binance"
    ws_url: ClassVar[str] = "wss://fstream.binance.com"
    rest_url: ClassVar[str] = "https://fapi.binance.com"
    default_funding_interval_h: ClassVar[float] = DEFAULT_FUNDING_H

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "sampled",  # one order per symbol and second is shown
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(Contracts(by_name(self.name, r"([A-Z0-9]{1,20})USDT")))
        self.rest = BinanceRest(self.contracts)
        self._known = self.contracts.known
        self._makers: dict[type, Callable[[Any, int], Parsed]] = {
            wire.AggTrade: self._trade,
            wire.RawTrade: self._raw_trade,
            wire.ForceOrder: self._liquidation,
            wire.Mark: self._one_mark,
        }

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; each carries the mark price, too."""
        return [
            Feed(
                url=f"{ws_url}/market/ws",
                hello=tuple(streams.subscriptions([*page, streams.MARKS])),
                silence_s=_SILENCE_S,
                lifetime_s=_LIFETIME_S,
            )
            for page in pages(streams.of(channel, symbols), _STREAMS_A_SOCKET)
        ]

    def parse(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none.

        Raises:
            MalformedMessage: It is not what Binance documents, or lies over 5 s in the future.
        """
        try:
            try:
                raw = frame[2] == _KIND
                row = wire.read_agg_trade(frame) if raw else wire.read_combined(frame).data
            except (msgspec.ValidationError, IndexError):
                return self.read(frame, recv_ms)
            symbol, at_ms = row.s, row.T
            contract = self._known.get(symbol)
            if contract.__class__ is not Contract or row.st != wire.USD_M:
                return self._trade(row, recv_ms)
            if at_ms > recv_ms + AHEAD_MS:
                check_time(at_ms, recv_ms)
            price, size, multiplier = row.p, row.q, contract.multiplier
            return [
                Trade(
                    event_id=f"binance:{symbol}:aggTrade:{row.number}",
                    ts_event_ms=at_ms,
                    ts_recv_ms=recv_ms,
                    exchange="binance",
                    symbol=symbol,
                    coin=contract.coin,
                    aggressor="sell" if row.m else "buy",  # m: the buyer is the maker
                    price=price / multiplier,
                    size_coins=size * multiplier,
                    notional_usd=price * size,
                )
            ]
        except BROKEN as e:
            raise malformed("binance", e) from e

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Read any frame; `parse` has read aggregated trades before, which most frames are."""
        text = frame.lstrip()
        if text.startswith(b"["):
            return self._many_marks(text, recv_ms)
        envelope = wire.read_envelope(text)
        if isinstance(envelope.data, msgspec.Raw):
            return self.read(bytes(envelope.data), recv_ms)
        if envelope.e in wire.KINDS:
            row = wire.read(text)
            return self._makers[type(row)](row, recv_ms)
        return _why_ignored(envelope)

    def _many_marks(self, text: bytes, recv_ms: int) -> Parsed:
        try:
            return self._marks(wire.read_marks(text), recv_ms)
        except msgspec.ValidationError:
            kinds = (each.e for each in wire.read_envelopes(text))
            stranger = next((kind for kind in kinds if kind not in wire.KINDS), None)
            if stranger is not None:
                return OtherStream(stranger)
            raise

    def _raw_trade(self, row: wire.RawTrade, recv_ms: int) -> Parsed:
        if row.X not in _TRADED:
            return Ignored.NOT_MARKET
        if not (row.p and row.q):
            raise ValueError(f"trade {row.number} of {row.q} at {row.p}")
        return self._trade(row, recv_ms)

    def _trade(self, row: wire.AggTrade | wire.RawTrade, recv_ms: int) -> Parsed:
        contract = self._find(row.s, row.st)
        if contract is None:
            return Ignored.OTHER_MARKET
        aggressor: Aggressor = "sell" if row.m else "buy"
        said = (row.stream, row.number, aggressor, row.p, row.q, row.T)
        return [contract.trade(*said, recv_ms)]

    def _liquidation(self, row: wire.ForceOrder, recv_ms: int) -> Parsed:
        order = row.o
        contract = self._find(order.s, max(row.st, order.st))
        if contract is None:
            return Ignored.OTHER_MARKET
        if order.X != "FILLED":
            return Ignored.NOT_FILLED
        if order.S not in _LIQUIDATED or not (order.z and order.ap):
            raise ValueError(f"liquidation {order.S!r} of {order.z} at {order.ap}")
        said = (order.S, order.T, order.z, order.ap)
        return [
            contract.liquidation(
                content_id("binance", order.s, "forceOrder", *said),
                _LIQUIDATED[order.S],
                order.ap,  # "p" is the order's limit, not what was paid
                order.z,  # "l" is only the last fill
                order.T,
                recv_ms,
                self.coverage[Channel.LIQUIDATIONS],
            )
        ]

    def _one_mark(self, row: wire.Mark, recv_ms: int) -> Parsed:
        return self._marks([row], recv_ms)

    def _marks(self, rows: list[wire.Mark], recv_ms: int) -> Parsed:
        marks: list[MarketEvent | Unsized] = []
        for row in rows:
            contract = self._find(row.s, row.st)
            if contract is not None and row.p:
                marks.append(contract.mark(row.p, row.i, row.E, recv_ms))
        return marks or Ignored.OTHER_MARKET

    def _find(self, symbol: str, market: int) -> Contract | None:
        return self.contracts.sized(symbol) if market == wire.USD_M else None


def _why_ignored(envelope: wire.Envelope) -> Ignored | OtherStream:
    if envelope.e == "serverShutdown" or envelope.stream == "!serverShutdown":
        return Ignored.SHUTDOWN
    if envelope.e:
        return OtherStream(envelope.e)
    if envelope.lastUpdateId is not msgspec.UNSET:
        return Ignored.SNAPSHOT
    if envelope.code is not msgspec.UNSET or envelope.error is not msgspec.UNSET:
        return Ignored.SUBSCRIBE_ERROR
    return OtherStream(envelope.stream) if envelope.result is msgspec.UNSET else Ignored.ACK
