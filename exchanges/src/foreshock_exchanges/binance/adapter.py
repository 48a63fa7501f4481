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
_COINS_KNOWN: Final = 10_000
_SYMBOL: Final = re.compile(r"([A-Z0-9]{1,20})USDT")

# "S" is the side of the liquidation order: a SELL closes a long.
_LIQUIDATED: Final[dict[str, Position]] = {"SELL": "long", "BUY": "short"}
_TRADED: Final = {"MARKET", "RPI", ""}
"""What a raw trade's X may say; INSURANCE_FUND, ADL and NA are not trades of the market."""


class Binance:
    """Liquidations, trades and mark prices of Binance's USDT-margined perpetuals."""

    name: ClassVar[str] = "binance"
    ws_url: ClassVar[str] = "wss://fstream.binance.com"
    rest_url: ClassVar[str] = "https://fapi.binance.com"
    default_funding_interval_h: ClassVar[float] = DEFAULT_FUNDING_H

    def __init__(self) -> None:
        self.rest = BinanceRest()
        self._coins: dict[str, tuple[str, float] | None] = {}
        self._kinds: dict[bytes, tuple[Callable[[Any], Any], Callable[[Any, int], Parsed]]] = {
            b"aggTrade": (wire.decoder(wire.AggTrade), self._agg_trade),
            b"trade": (wire.decoder(wire.RawTrade), self._raw_trade),
            b"forceOrder": (wire.decoder(wire.ForceOrder), self._liquidation),
            b"markPriceUpdate": (wire.read_mark, self._one_mark),
        }

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; without them a symbol's own name tells its coin."""
        for instrument in instruments:
            self._coins[instrument.symbol] = instrument.coin, instrument.multiplier

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
            start = 6 if frame.startswith(b'{"e":"') else _data_start(frame)
            if start:
                end = frame.index(b'"', start)
                kind = self._kinds.get(frame[start:end])
                if kind is not None:
                    decode, make = kind
                    body = frame if start == 6 else memoryview(frame)[start - 6 : -1]
                    return make(decode(body), recv_ms)
            return self._unusual(frame, recv_ms)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as e:
            raise MalformedFrame(f"binance: {e}") from e

    def _unusual(self, frame: bytes | memoryview, recv_ms: int) -> Parsed:
        text = bytes(frame).lstrip()
        if text.startswith(b"["):
            return self._all_marks(wire.read_marks(text), recv_ms)
        envelope: wire.Envelope = wire.read_envelope(text)
        if isinstance(envelope.data, msgspec.Raw):
            return self._unusual(bytes(envelope.data), recv_ms)
        kind = self._kinds.get(envelope.e.encode())
        if kind is not None:
            decode, make = kind
            return make(decode(text), recv_ms)
        return _why_ignored(envelope)

    def _agg_trade(self, row: wire.AggTrade, recv_ms: int) -> Parsed:
        return self._trade(row, "aggTrade", row.a, recv_ms)

    def _raw_trade(self, row: wire.RawTrade, recv_ms: int) -> Parsed:
        if row.X not in _TRADED:
            return Ignored.NOT_MARKET
        if not (row.p and row.q):
            raise ValueError(f"trade {row.t} of {row.q} at {row.p}")
        return self._trade(row, "trade", row.t, recv_ms)

    def _trade(
        self, row: wire.AggTrade | wire.RawTrade, stream: str, number: int, recv_ms: int
    ) -> Parsed:
        symbol = row.s
        known = self._coin(symbol, row.st)
        if known is None:
            return Ignored.OTHER_MARKET
        _check_time(row.T, recv_ms)
        coin, multiplier = known
        return [
            Trade(
                event_id=f"binance:{symbol}:{stream}:{number}",
                ts_event_ms=row.T,
                ts_recv_ms=recv_ms,
                exchange="binance",
                symbol=symbol,
                coin=coin,
                aggressor="sell" if row.m else "buy",  # m: the buyer is the maker
                price=row.p / multiplier,
                size_coins=row.q * multiplier,
                notional_usd=row.p * row.q,
            )
        ]

    def _liquidation(self, row: wire.ForceOrder, recv_ms: int) -> Parsed:
        order = row.o
        known = self._coin(order.s, max(row.st, order.st))
        if known is None:
            return Ignored.OTHER_MARKET
        if order.X != "FILLED":
            return Ignored.NOT_FILLED
        if order.S not in _LIQUIDATED or not (order.z and order.ap):
            raise ValueError(f"liquidation {order.S!r} of {order.z} at {order.ap}")
        _check_time(order.T, recv_ms)
        coin, multiplier = known
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
        return self._all_marks([row], recv_ms)

    def _all_marks(self, rows: list[wire.Mark], recv_ms: int) -> Parsed:
        marks: list[MarketEvent] = []
        for row in rows:
            if row.e != "markPriceUpdate":
                return Ignored.OTHER_STREAM
            known = self._coin(row.s, row.st)
            if known is None or not row.p:
                continue
            _check_time(row.E, recv_ms)
            coin, multiplier = known
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

    def _coin(self, symbol: str, market: int) -> tuple[str, float] | None:
        """Return coin and multiplier of a USDT-margined perpetual; nothing else is ours."""
        if market != wire.USD_M:
            return None
        if symbol in self._coins:
            return self._coins[symbol]
        if len(self._coins) >= _COINS_KNOWN:
            self._coins.clear()
        found = _SYMBOL.fullmatch(symbol)
        known = self._coins[symbol] = coin_of(found[1]) if found else None
        return known


def _data_start(frame: bytes) -> int:
    """Return where the kind begins in `{"stream":"…","data":{"e":"kind"…}}`; 0 elsewhere."""
    if not frame.startswith(b'{"stream":"'):
        return 0
    start = frame.find(b'","data":{"e":"', 11) + 15
    return start if start > 14 and frame.endswith(b"}") else 0


def _check_time(event_ms: int, recv_ms: int) -> None:
    if event_ms > recv_ms + _AHEAD_MS:
        raise ValueError(f"event time {event_ms} is {event_ms - recv_ms} ms ahead of receipt")


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
