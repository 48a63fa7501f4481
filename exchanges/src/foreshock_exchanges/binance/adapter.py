"""Binance USD-M futures: websocket frames.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
Since 2026-04-23 market streams come only on the routed path `/market`; elsewhere a subscription
is acknowledged and nothing follows.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import msgspec

from foreshock_exchanges.base import (
    Channel,
    Feed,
    Ignored,
    MalformedFrame,
    MarketEvent,
    MarkPrice,
    Parsed,
)
from foreshock_exchanges.binance import streams, wire
from foreshock_exchanges.binance.rest import DEFAULT_FUNDING_H, BinanceRest
from foreshock_schemas.events import Instrument, Liquidation, Position, Trade
from foreshock_schemas.ids import content_id
from foreshock_schemas.names import coin_of

_STREAMS_A_SOCKET: Final = 200
_LIFETIME_S: Final = 23 * 3600.0
_SILENCE_S: Final = 15.0
"""The mark price of all contracts comes every second on each of our sockets."""
_AHEAD_MS: Final = 5000
_CONTRACTS_KNOWN: Final = 10_000
_SYMBOL: Final = re.compile(r"([A-Z0-9]{1,20})USDT")

# "S" is the side of the liquidation order: a SELL closes a long.
_LIQUIDATED: Final[dict[str, Position]] = {"SELL": "long", "BUY": "short"}
_TRADED: Final = {"MARKET", "RPI", ""}
"""What a raw trade's X may say; INSURANCE_FUND, ADL and NA are not trades of the market."""

_Contract = tuple[str, float, str]
"""A contract's coin, how many of it one unit is, and how the ids of its events begin."""


class Binance:
    """Liquidations, trades and mark prices of Binance's USDT-margined perpetuals."""

    name: ClassVar[str] = "binance"
    ws_url: ClassVar[str] = "wss://fstream.binance.com"
    rest_url: ClassVar[str] = "https://fapi.binance.com"
    default_funding_interval_h: ClassVar[float] = DEFAULT_FUNDING_H

    def __init__(self) -> None:
        self.rest = BinanceRest()
        self._contracts: dict[str, _Contract | None] = {}
        self._makers: dict[type, Callable[[Any, int], Parsed]] = {
            wire.AggTrade: self._trade,
            wire.RawTrade: self._raw_trade,
            wire.ForceOrder: self._liquidation,
            wire.Mark: self._one_mark,
        }

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; without them a symbol's own name tells its coin."""
        for each in instruments:
            self._contracts[each.symbol] = _contract(each.symbol, each.coin, each.multiplier)

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel`; each carries the mark price, too."""
        names = streams.of(channel, symbols)
        pages = [
            names[start : start + _STREAMS_A_SOCKET]
            for start in range(0, len(names), _STREAMS_A_SOCKET)
        ]
        return [
            Feed(
                url=f"{ws_url}/market/ws",
                hello=tuple(streams.subscriptions([*page, streams.MARKS])),
                silence_s=_SILENCE_S,
                lifetime_s=_LIFETIME_S,
            )
            for page in pages
        ]

    def parse(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none.

        Raises:
            MalformedFrame: It is not what Binance documents, or lies over 5 s in the future.
        """
        try:
            try:
                raw = frame.startswith(b'{"e"')
                row = wire.read(frame) if raw else wire.read_combined(frame).data
            except msgspec.ValidationError:
                return self._unusual(frame, recv_ms)
            return self._makers[type(row)](row, recv_ms)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as e:
            raise MalformedFrame(f"binance: {e}") from e

    def _unusual(self, frame: bytes, recv_ms: int) -> Parsed:
        text = frame.lstrip()
        if text.startswith(b"["):
            return self._many_marks(text, recv_ms)
        envelope = wire.read_envelope(text)
        if isinstance(envelope.data, msgspec.Raw):
            return self._unusual(bytes(envelope.data), recv_ms)
        if envelope.e in wire.KINDS:
            row = wire.read(text)
            return self._makers[type(row)](row, recv_ms)
        return _why_ignored(envelope)

    def _many_marks(self, text: bytes, recv_ms: int) -> Parsed:
        try:
            return self._marks(wire.read_marks(text), recv_ms)
        except msgspec.ValidationError:
            if any(each.e not in wire.KINDS for each in wire.read_envelopes(text)):
                return Ignored.OTHER_STREAM
            raise

    def _raw_trade(self, row: wire.RawTrade, recv_ms: int) -> Parsed:
        if row.X not in _TRADED:
            return Ignored.NOT_MARKET
        if not (row.p and row.q):
            raise ValueError(f"trade {row.number} of {row.q} at {row.p}")
        return self._trade(row, recv_ms)

    def _trade(self, row: wire.AggTrade | wire.RawTrade, recv_ms: int) -> Parsed:
        symbol, event_ms = row.s, row.T
        contract = self._contracts.get(symbol) if row.st == wire.USD_M else None
        if contract is None and (contract := self._contract(symbol, row.st)) is None:
            return Ignored.OTHER_MARKET
        if event_ms > recv_ms + _AHEAD_MS:
            raise _ahead(event_ms, recv_ms)
        coin, multiplier, prefix = contract
        price, size = row.p, row.q
        return [
            Trade(
                event_id=f"{prefix}{row.stream}:{row.number}",
                ts_event_ms=event_ms,
                ts_recv_ms=recv_ms,
                exchange="binance",
                symbol=symbol,
                coin=coin,
                aggressor="sell" if row.m else "buy",  # m: the buyer is the maker
                price=price / multiplier,
                size_coins=size * multiplier,
                notional_usd=price * size,
            )
        ]

    def _liquidation(self, row: wire.ForceOrder, recv_ms: int) -> Parsed:
        order = row.o
        contract = self._contract(order.s, max(row.st, order.st))
        if contract is None:
            return Ignored.OTHER_MARKET
        if order.X != "FILLED":
            return Ignored.NOT_FILLED
        if order.S not in _LIQUIDATED or not (order.z and order.ap):
            raise ValueError(f"liquidation {order.S!r} of {order.z} at {order.ap}")
        if recv_ms + _AHEAD_MS < order.T:
            raise _ahead(order.T, recv_ms)
        coin, multiplier, _ = contract
        return [
            Liquidation(
                event_id=content_id(
                    "binance", order.s, "forceOrder", order.S, order.T, order.z, order.ap
                ),
                ts_event_ms=order.T,
                ts_recv_ms=recv_ms,
                exchange="binance",
                symbol=order.s,
                coin=coin,
                position=_LIQUIDATED[order.S],
                price=order.ap / multiplier,  # "p" is the order's limit, not what was paid
                size_coins=order.z * multiplier,  # "l" is only the last fill
                notional_usd=order.z * order.ap,
                coverage="sampled",  # one order per symbol and second is shown
            )
        ]

    def _one_mark(self, row: wire.Mark, recv_ms: int) -> Parsed:
        return self._marks([row], recv_ms)

    def _marks(self, rows: list[wire.Mark], recv_ms: int) -> Parsed:
        marks: list[MarketEvent] = []
        for row in rows:
            contract = self._contract(row.s, row.st)
            if contract is None or not row.p:
                continue
            if recv_ms + _AHEAD_MS < row.E:
                raise _ahead(row.E, recv_ms)
            coin, multiplier, _ = contract
            marks.append(
                MarkPrice(
                    exchange="binance",
                    symbol=row.s,
                    coin=coin,
                    mark_price=row.p / multiplier,
                    index_price=row.i / multiplier or None,
                    ts_event_ms=row.E,
                    ts_recv_ms=recv_ms,
                )
            )
        return marks or Ignored.OTHER_MARKET

    def _contract(self, symbol: str, market: int) -> _Contract | None:
        """Return what is known of a USDT-margined perpetual; nothing else is ours."""
        if market != wire.USD_M:
            return None
        if symbol in self._contracts:
            return self._contracts[symbol]
        if len(self._contracts) >= _CONTRACTS_KNOWN:
            self._contracts.clear()
        found = _SYMBOL.fullmatch(symbol)
        known = _contract(symbol, *coin_of(found[1])) if found else None
        self._contracts[symbol] = known
        return known


def _contract(symbol: str, coin: str, multiplier: float) -> _Contract:
    return coin, multiplier, f"binance:{symbol}:"


def _ahead(event_ms: int, recv_ms: int) -> ValueError:
    return ValueError(f"event time {event_ms} is {event_ms - recv_ms} ms ahead of receipt")


def _why_ignored(envelope: wire.Envelope) -> Ignored:
    if envelope.e == "serverShutdown" or envelope.stream == "!serverShutdown":
        return Ignored.SHUTDOWN
    if envelope.e:
        return Ignored.OTHER_STREAM
    if envelope.lastUpdateId is not msgspec.UNSET:
        return Ignored.SNAPSHOT
    if envelope.code is not msgspec.UNSET:
        return Ignored.SUBSCRIBE_ERROR
    return Ignored.ACK if envelope.result is not msgspec.UNSET else Ignored.OTHER_STREAM
