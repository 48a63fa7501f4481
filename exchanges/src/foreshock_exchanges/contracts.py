"""What is known of a venue's contracts, and what a price and a size on the wire mean."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from foreshock_exchanges.base import MarkPrice, Unsized
from foreshock_schemas.events import (
    Aggressor,
    Coverage,
    Instrument,
    InstrumentStatus,
    Liquidation,
    MarginTier,
    Position,
    Trade,
)
from foreshock_schemas.ids import content_id
from foreshock_schemas.names import coin_of

_AHEAD_MS: Final = 5000
_NAMES_KNOWN: Final = 10_000
"""Symbols that were looked up by their name; rubbish on the wire must not fill the memory."""


class Contract(msgspec.Struct, frozen=True, gc=False):
    """One contract: `multiplier` coins are one unit of its price, `size` units are one contract.

    An `inverse` one is `size` of the quote currency. Prices on the wire are for one unit, sizes
    count contracts.
    """

    exchange: str
    symbol: str
    coin: str
    multiplier: float = 1.0
    size: float = 1.0
    inverse: bool = False

    def usd(self, price: float, contracts: float) -> float:
        """Return what contracts are worth at a price on the wire; USD."""
        units = contracts * self.size
        return units if self.inverse else units * price

    def coins(self, price: float, contracts: float) -> float:
        """Return how many coins contracts are, at a price on the wire."""
        units = contracts * self.size
        return (units / price if self.inverse else units) * self.multiplier

    def trade(
        self,
        stream: str,
        number: int | str,
        aggressor: Aggressor,
        price: float,
        contracts: float,
        ts_event_ms: int,
        ts_recv_ms: int,
    ) -> Trade:
        """Return a trade of `contracts` at `price`, both as on the wire.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms, ts_recv_ms)
        return Trade(
            event_id=f"{self.exchange}:{self.symbol}:{stream}:{number}",
            ts_event_ms=ts_event_ms,
            ts_recv_ms=ts_recv_ms,
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            aggressor=aggressor,
            price=price / self.multiplier,
            size_coins=self.coins(price, contracts),
            notional_usd=self.usd(price, contracts),
        )

    def liquidation(
        self,
        event_id: str,
        position: Position,
        price: float,
        contracts: float,
        ts_event_ms: int | None,
        ts_recv_ms: int,
        coverage: Coverage,
    ) -> Liquidation:
        """Return a liquidation of `contracts` at `price`, both as on the wire.

        Without a time of the venue's the receive time stands in, and `ts_source` says so.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms or ts_recv_ms, ts_recv_ms)
        return Liquidation(
            event_id=event_id,
            ts_event_ms=ts_event_ms or ts_recv_ms,
            ts_recv_ms=ts_recv_ms,
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            position=position,
            price=price / self.multiplier,
            size_coins=self.coins(price, contracts),
            notional_usd=self.usd(price, contracts),
            coverage=coverage,
            ts_source="venue" if ts_event_ms else "receive",
        )

    def mark(
        self, mark: float, index: float | None, ts_event_ms: int, ts_recv_ms: int
    ) -> MarkPrice:
        """Return a mark price and, where there is one, an index price, both as on the wire.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms, ts_recv_ms)
        return MarkPrice(
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            mark_price=mark / self.multiplier,
            index_price=index / self.multiplier if index else None,
            ts_event_ms=ts_event_ms,
            ts_recv_ms=ts_recv_ms,
        )


Rule = Callable[[str], Contract | Unsized | None]
"""What a symbol alone tells: its contract, or that it is ours without a size, or not ours."""


class Contracts:
    """The contracts of one venue: those told, and else what the rule makes of a symbol.

    `known` holds both, for loops that cannot afford a call.
    """

    def __init__(self, rule: Rule) -> None:
        self.known: dict[str, Contract | Unsized | None] = {}
        self._rule = rule
        self._told: dict[str, Contract] = {}

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Take note of contracts; the newest word on a symbol wins."""
        self._told.update((each.symbol, contract_of(each)) for each in instruments)
        self.known.update(self._told)

    def find(self, symbol: str) -> Contract | Unsized | None:
        """Return what is known of a symbol; `None`: it belongs to a market that is not ours."""
        if symbol in self.known:
            return self.known[symbol]
        if len(self.known) >= len(self._told) + _NAMES_KNOWN:
            self.known.clear()
            self.known.update(self._told)
        found = self.known[symbol] = self._rule(symbol)
        return found

    def sized(self, symbol: str) -> Contract | None:
        """Return the contract of a symbol, if its size is known."""
        found = self.find(symbol)
        return found if isinstance(found, Contract) else None


def contract_of(instrument: Instrument) -> Contract:
    """Return what an instrument's prices and sizes mean."""
    return Contract(
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        coin=instrument.coin,
        multiplier=instrument.multiplier,
        size=instrument.contract_size,
        inverse=instrument.inverse,
    )


def instrument(
    exchange: str,
    symbol: str,
    base: str,
    recv_ms: int,
    *,
    quote: str,
    status: InstrumentStatus,
    size: float = 1.0,
    inverse: bool = False,
    tick: float | None = None,
    funding_interval_h: float | None = None,
    tiers: tuple[MarginTier, ...] = (),
) -> Instrument:
    """Return an instrument; `base` is the venue's, with any multiplier in it (1000PEPE)."""
    coin, multiplier = coin_of(base)
    margins = [figure for tier in tiers for figure in msgspec.structs.astuple(tier)]
    said = (status, multiplier, size, funding_interval_h or 0.0, *margins)
    return Instrument(
        event_id=content_id(exchange, symbol, "instrument", *said),
        ts_event_ms=recv_ms,
        ts_recv_ms=recv_ms,
        exchange=exchange,
        symbol=symbol,
        coin=coin,
        quote=quote,
        multiplier=multiplier,
        contract_size=size,
        tick_size=tick or None,
        status=status,
        funding_interval_h=funding_interval_h,
        tiers=tiers,
        inverse=inverse,
    )


def check_time(ts_event_ms: int, ts_recv_ms: int) -> None:
    """Check that a venue's time is at most 5 s ahead of ours.

    Raises:
        ValueError: It is further ahead.
    """
    if ts_event_ms > ts_recv_ms + _AHEAD_MS:
        ahead_ms = ts_event_ms - ts_recv_ms
        raise ValueError(f"event time {ts_event_ms} is {ahead_ms} ms ahead of receipt")
