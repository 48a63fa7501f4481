"""Which contracts of a venue are known: those told, and what the name of another says of it."""

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from foreshock_exchanges.base import Unsized
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.wire import LEAST, MOST
from foreshock_schemas.events import Instrument, InstrumentStatus, MarginTier
from foreshock_schemas.ids import content_id
from foreshock_schemas.names import coin_of

_NAMES_KNOWN: Final = 10_000
"""Symbols that were looked up by their name; rubbish on the wire must not fill the memory."""

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

    def one(self, symbol: str) -> Contract:
        """Return the contract of a symbol.

        Raises:
            ValueError: Its size is not known.
        """
        if (found := self.sized(symbol)) is None:
            raise ValueError(f"the size of {symbol!r} is not known")
        return found


def by_name(exchange: str, pattern: str) -> Rule:
    """Return the rule of a venue whose sizes are in coins: the pattern's group is the base."""
    named = re.compile(pattern)

    def rule(symbol: str) -> Contract | None:
        if not (found := named.fullmatch(symbol)):
            return None
        coin, multiplier = coin_of(found[1])
        return Contract(exchange=exchange, symbol=symbol, coin=coin, multiplier=multiplier)

    return rule


def by_instrument(pattern: str) -> Rule:
    """Return the rule of a venue whose sizes only its instruments tell."""
    named = re.compile(pattern)
    return lambda symbol: Unsized(symbol) if named.fullmatch(symbol) else None


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
    """Return an instrument; `base` is the venue's, with any multiplier in it (1000PEPE).

    Raises:
        ValueError: No contract is of such a size.
    """
    if not LEAST <= size < MOST:
        raise ValueError(f"a contract of {size}")
    coin, multiplier = coin_of(base)
    told = Instrument(
        event_id="",
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
    return named(told)


def meaning(instrument: Instrument) -> tuple[object, ...]:
    """Return what an instrument says; the time at which it was read is no part of it."""
    return (
        instrument.coin,
        instrument.quote,
        instrument.multiplier,
        instrument.contract_size,
        instrument.tick_size,
        instrument.status,
        instrument.funding_interval_h,
        instrument.tiers,
        instrument.inverse,
        instrument.followed,
    )


def named(instrument: Instrument, *parts: int) -> Instrument:
    """Return the instrument with the id of what it says, and of the parts."""
    said = content_id(
        instrument.exchange, instrument.symbol, "instrument", repr(meaning(instrument)), *parts
    )
    return msgspec.structs.replace(instrument, event_id=said)
