"""Deribit perpetuals: websocket frames.

https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval
https://docs.deribit.com/api-reference/subscription-management/public-subscribe
The answer to a subscription lists the channels that are subscribed to, and leaves out others.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from foreshock_exchanges.base import (
    Channel,
    Feed,
    Ignored,
    MarketEvent,
    MarkPrice,
    OtherStream,
    Parsed,
)
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import Contracts, by_instrument
from foreshock_exchanges.venue import VenueAdapter, pages
from foreshock_exchanges.venues.deribit import wire
from foreshock_exchanges.venues.deribit.rest import (
    FUNDING_H,
    PERPETUAL,
    DeribitRest,
    is_inverse,
    trade_of,
)
from foreshock_schemas.events import Coverage, Instrument, Position
from foreshock_schemas.ids import venue_id

_CONTRACTS_A_SOCKET: Final = 200
_CONTRACTS_A_MESSAGE: Final = 50
_PACE_S: Final = 0.5
"""Deribit takes 3.3 subscriptions a second."""
_SILENCE_S: Final = 30.0
"""Tickers come up to ten times a second on each of our sockets."""

# The taker's order closed the taker's position, and was the other side of the maker's.
_LIQUIDATED: Final[dict[tuple[str, str], Position]] = {
    ("T", "sell"): "long",
    ("T", "buy"): "short",
    ("M", "buy"): "long",
    ("M", "sell"): "short",
}


class Deribit(VenueAdapter):
    """Liquidations, trades and mark prices of Deribit's perpetuals.

    A liquidation is a trade that says so: its frame gives both.
    """

    name: ClassVar[str] = "deribit"
    ws_url: ClassVar[str] = "wss://www.deribit.com"
    rest_url: ClassVar[str] = "https://www.deribit.com"
    default_funding_interval_h: ClassVar[float] = FUNDING_H

    coverage: ClassVar[Mapping[Channel, Coverage]] = {
        Channel.LIQUIDATIONS: "full",  # all, in batches of 100 ms
        Channel.TRADES: "full",
    }
    gapless: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(Contracts(by_instrument(PERPETUAL)))
        self.rest = DeribitRest(self.contracts)
        self._readers: dict[str, Callable[[msgspec.Raw, int], Parsed]] = {
            "trades": self._trades,
            "ticker": self._mark,
        }

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; what their amounts mean, their names say."""
        super().learn(
            [
                msgspec.structs.replace(each, contract_size=1.0, inverse=is_inverse(each.symbol))
                for each in instruments
            ]
        )

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry trades, liquidations among them, and mark prices."""
        return [
            Feed(
                url=f"{ws_url}/ws/api/v2",
                hello=tuple(_subscription(part) for part in pages(page, _CONTRACTS_A_MESSAGE)),
                pace_s=_PACE_S,
                silence_s=_SILENCE_S,
                ping=_request("public/test", {}),
            )
            for page in pages(symbols, _CONTRACTS_A_SOCKET)
        ]

    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns, or raise one of `BROKEN`."""
        envelope = wire.read_envelope(frame)
        if envelope.error is not None:
            return Ignored.SUBSCRIBE_ERROR
        if envelope.result is not msgspec.UNSET:
            return _answer(envelope.result)
        if envelope.method != "subscription":
            return OtherStream(envelope.method)
        kind = envelope.params.channel.partition(".")[0]
        read = self._readers.get(kind)
        return read(envelope.params.data, recv_ms) if read else OtherStream(kind)

    def _trades(self, data: msgspec.Raw, recv_ms: int) -> Parsed:
        facts = [(row, party) for row in wire.read_trades(data) for party in ("", *row.liquidation)]
        return self.each(
            facts,
            lambda fact: fact[0].instrument_name,
            lambda contract, fact: self._fact(contract, *fact, recv_ms),
        )

    def _fact(self, contract: Contract, row: wire.Trade, party: str, recv_ms: int) -> MarketEvent:
        if not party:
            return trade_of(contract, row, recv_ms)
        return contract.liquidation(
            venue_id("deribit", contract.symbol, "liquidation", f"{row.trade_seq}{party}"),
            _LIQUIDATED[party, row.direction],
            row.price,
            row.amount,
            row.timestamp,
            recv_ms,
            self.coverage[Channel.LIQUIDATIONS],
        )

    def _mark(self, data: msgspec.Raw, recv_ms: int) -> Parsed:
        return self.each(
            [wire.read_ticker(data)],
            lambda row: row.instrument_name,
            lambda contract, row: _mark_of(contract, row, recv_ms),
        )


def _mark_of(contract: Contract, row: wire.Ticker, recv_ms: int) -> MarkPrice | None:
    if not row.mark_price:
        return None
    return contract.mark(row.mark_price, row.index_price, row.timestamp, recv_ms)


def _answer(result: list[str] | wire.Version) -> Ignored:
    if isinstance(result, wire.Version):
        return Ignored.PONG
    return Ignored.ACK if result else Ignored.SUBSCRIBE_ERROR


def _subscription(symbols: Sequence[str]) -> str:
    kinds = ("trades", "ticker")
    channels = [f"{kind}.{symbol}.100ms" for symbol in symbols for kind in kinds]
    return _request("public/subscribe", {"channels": channels})


def _request(method: str, params: Mapping[str, Sequence[str]]) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
