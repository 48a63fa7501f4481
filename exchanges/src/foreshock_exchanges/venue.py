"""What adapters have in common, so that each has only its own venue's words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from operator import attrgetter
from typing import ClassVar, Final, ParamSpec, TypeVar

import msgspec

from foreshock_exchanges.base import Ignored, MalformedMessage, MarketEvent, Parsed, Unsized
from foreshock_exchanges.contract import ClockAhead, Contract
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.rest import Request, Supply
from foreshock_schemas.events import Instrument, Kline, MarginTier, Trade

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row")

FOR_LIFE: Final = 10
"""So many contracts' marks beside liquidations prove that a socket lives, and are not many."""

BROKEN = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)
"""What reading hostile bytes may raise; a UnicodeDecodeError is a ValueError, too."""


class VenueAdapter(ABC):
    """Reads frames by `read`, which a venue's own class has, and keeps its contracts."""

    name: ClassVar[str]

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; the newest word on a symbol wins."""
        self.contracts.learn(instruments)

    def parse(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events in their order, or why there are none.

        Raises:
            MalformedMessage: It is not what the venue documents, or over 5 s in the future.
        """
        try:
            return self.read(frame, recv_ms)
        except BROKEN as e:
            raise malformed(self.name, e) from e

    @abstractmethod
    def read(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return what `parse` returns, or raise one of `BROKEN`."""

    def each(
        self,
        rows: Iterable[Row],
        symbol_of: Callable[[Row], str],
        make: Callable[[Contract, Row], MarketEvent | None],
    ) -> Parsed:
        """Return an event for each row of a contract that is ours; `make` may pass a row over."""
        found: list[MarketEvent | Unsized] = []
        passed_over = Ignored.EMPTY
        for row in rows:
            contract = self.contracts.find(symbol_of(row))
            if contract is None:
                passed_over = Ignored.OTHER_MARKET
            elif isinstance(contract, Unsized):
                found.append(contract)
            elif (event := make(contract, row)) is not None:
                found.append(event)
            else:
                passed_over = Ignored.NOT_MARKET
        return found or passed_over


class VenueRest:
    """The calls that a venue does not have; its own class has those that it has."""

    name: ClassVar[str]
    candles_a_page: ClassVar[int] = 1000

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts

    def known(
        self, rows: Iterable[Row], symbol_of: Callable[[Row], str] = attrgetter("symbol")
    ) -> Iterator[tuple[Contract, Row]]:
        """Yield the rows of contracts whose size is known, each with its contract."""
        for row in rows:
            if (contract := self.contracts.sized(symbol_of(row))) is not None:
                yield contract, row

    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return no request: everything comes at once."""
        return None

    def funding_intervals(self) -> Request | None:
        """Ask for nothing: instruments or premiums tell."""
        return None

    def read_funding_intervals(self, body: bytes) -> Mapping[str, float]:
        """Return nothing."""
        return {}

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request | None:
        """Ask for nothing."""
        return None

    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return nothing."""
        return []

    def supply(self, symbol: str) -> Request | None:
        """Ask for nothing."""
        return None

    def read_supply(self, body: bytes) -> list[Supply]:
        """Return nothing."""
        return []

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for nothing."""
        return []

    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return nothing."""
        return {}

    def trades(self, symbol: str, first: int, last: int) -> Request | None:
        """Ask for nothing."""
        return None

    def read_trades(self, body: bytes, symbol: str, recv_ms: int) -> list[Trade]:
        """Return nothing."""
        return []


def malformed(name: str, why: Exception) -> MalformedMessage:
    """Return how the venue of that name says which of `BROKEN` a frame was."""
    return MalformedMessage(f"{name}: {why}", why.ahead_ms if isinstance(why, ClockAhead) else None)


def reader(read: Callable[P, T]) -> Callable[P, T]:
    """Make a method that reads a body raise `MalformedMessage` and nothing else."""

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except BROKEN as e:
            raise MalformedMessage(f"{args[0].name} {read.__name__}: {e}") from e  # type: ignore[attr-defined]

    return reading


def pages(words: Sequence[T], most: int) -> list[Sequence[T]]:
    """Return the words in pages of at most `most`."""
    return [words[start : start + most] for start in range(0, len(words), most)]
