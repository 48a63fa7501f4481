"""Gate USDT perpetuals: websocket frames.

https://www.gate.com/docs/developers/futures/ws/en/
One unknown contract makes Gate refuse the whole message that asks for it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.base import Channel, Feed, Ignored, MarkPrice, OtherStream, Parsed
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts, by_instrument
from foreshock_exchanges.venue import FOR_LIFE, VenueAdapter, pages
from foreshock_exchanges.venues.gate import wire
from foreshock_exchanges.venues.gate.rest import GateRest
from foreshock_exchanges.wire import LEAST
from foreshock_schemas.events import Coverage, Liquidation, Trade
from foreshock_schemas.ids import content_id

_TRADES: Final = "futures.trades"
_LIQUIDATIONS: Final = "futures.public_liquidates"
_TICKERS: Final = "futures.tickers"
_CONTRACTS_A_SOCKET: Final = 500
_CONTRACTS_A_MESSAGE: Final = 100
_SILENCE_S: Final = 30.0
"""Tickers come every second or two on each of our sockets."""
_WORDS: Final = {"futures.pong": Ignored.PONG, "futures.system": Ignored.SHUTDOWN}


class Gate(VenueAdapter):
    """Liquidations, trades and mark prices of Gate's USDT-margined perpetuals."""

    name: ClassVar[str] = "gate"
    ws_url: ClassVar[str] = "wss://fx-ws.gateio.ws"
    rest_url: ClassVar[str] = "https://api.gateio.ws"
    default_funding_interval_h: ClassVar[float] = 8.0

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        # in batches since 2026-08-20, one per contract and second before; nothing says "all"
        Channel.LIQUIDATIONS: "unknown",
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(Contracts(by_instrument(r"[A-Z0-9]{1,20}_USDT")))
        self.rest = GateRest(self.contracts)
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
                url=f"{ws_url}/v4/ws/usdt",
                headers=(("X-Gate-Size-Decimal", "1"),),
                hello=tuple(_hello(channel, page, _CONTRACTS_A_MESSAGE)),
                retry=tuple(_hello(channel, page, 1)),
                silence_s=_SILENCE_S,
                ping=_said("futures.ping"),
            )
            for page in pages(followed, _CONTRACTS_A_SOCKET)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns, or raise one of `BROKEN`."""
        envelope = wire.read_envelope(frame)
        if envelope.error is not None:
            return Ignored.SUBSCRIBE_ERROR
        if envelope.channel in _WORDS:
            return _WORDS[envelope.channel]
        if envelope.event in {"subscribe", "unsubscribe"}:
            return Ignored.ACK
        read = self._readers.get(envelope.channel)
        return read(envelope, recv_ms) if read else OtherStream(envelope.channel)

    def _trades(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        return self.each(
            wire.read_trades(envelope.result),
            lambda row: row.contract,
            lambda contract, row: _trade(contract, row, recv_ms),
        )

    def _liquidations(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        found = wire.read_liquidated(envelope.result)
        return self.each(
            found if isinstance(found, list) else [found],
            lambda row: row.contract,
            lambda contract, row: self._liquidation(contract, row, recv_ms),
        )

    def _liquidation(self, contract: Contract, row: wire.Liquidated, recv_ms: int) -> Liquidation:
        said = (row.size, row.price, row.time)
        return contract.liquidation(
            content_id("gate", row.contract, "public_liquidates", *said),
            # Gate does not say what the sign means; three independent clients take a negative
            # size for a forced sale. Over REST (liq_orders) it is the position's: the opposite.
            "long" if row.size < 0 else "short",
            row.price,
            _contracts(row.size),
            row.time,
            recv_ms,
            self.coverage[Channel.LIQUIDATIONS],
        )

    def _marks(self, envelope: wire.Envelope, recv_ms: int) -> Parsed:
        found = wire.read_tickers(envelope.result)
        return self.each(
            found if isinstance(found, list) else [found],
            lambda row: row.contract,
            lambda contract, row: _mark(contract, row, row.t or envelope.time_ms, recv_ms),
        )


def _trade(contract: Contract, row: wire.Trade, recv_ms: int) -> Trade | None:
    if row.is_internal:  # taken over by the insurance fund, or deleveraged
        return None
    return contract.trade(
        "trades",
        row.id,
        "buy" if row.size > 0 else "sell",
        row.price,
        _contracts(row.size),
        int(row.create_time_ms),
        recv_ms,
    )


def _mark(contract: Contract, row: wire.Ticker, at_ms: int, recv_ms: int) -> MarkPrice | None:
    if not row.mark_price:
        return None
    return contract.mark(row.mark_price, row.index_price, at_ms or None, recv_ms)


def _contracts(size: float) -> float:
    if abs(size) < LEAST:
        raise ValueError(f"a size of {size}")
    return abs(size)


def _hello(channel: Channel, symbols: Sequence[str], most: int) -> Iterator[str]:
    if channel is Channel.LIQUIDATIONS:
        yield _said(_LIQUIDATIONS, ["!all"])
    for page in pages(symbols, most):
        if channel is Channel.TRADES:
            yield _said(_TRADES, page)
        yield _said(_TICKERS, page)


def _said(channel: str, payload: Sequence[str] = ()) -> str:
    # Gate wants a time (s), and looks at it only where a key signs it
    if not payload:
        return json.dumps({"time": 0, "channel": channel})
    said = {"time": 0, "channel": channel, "event": "subscribe", "payload": list(payload)}
    return json.dumps(said)
