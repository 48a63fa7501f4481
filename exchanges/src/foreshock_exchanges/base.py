"""What every exchange's adapter looks like: pure, told bytes and times, never asking for them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, final

import msgspec

from foreshock_exchanges.rest import Rest
from foreshock_schemas.events import Coverage, Instrument, Liquidation, OpenInterest, Trade

if TYPE_CHECKING:
    from foreshock_exchanges.contracts import Contracts


class MalformedMessage(Exception):
    """Bytes that are not what the venue documents; nothing was taken from them.

    `ahead_ms` is how far a time in them lies ahead of ours, if that is what is wrong.
    """

    def __init__(self, message: str, ahead_ms: int | None = None) -> None:
        super().__init__(message)
        self.ahead_ms = ahead_ms


class Channel(StrEnum):
    """A stream of market data that an ingester follows."""

    LIQUIDATIONS = "liquidations"
    TRADES = "trades"


class Ignored(StrEnum):
    """Why a frame that is well formed gives no event.

    `ALIVE` alone proves, as events do, that its socket lives: what a venue sends of its market
    whatever happens there, and Foreshock keeps nothing of.
    """

    ACK = "ack"
    ALIVE = "alive"
    EMPTY = "empty"
    NOT_FILLED = "not_filled"
    NOT_MARKET = "not_market"
    OTHER_MARKET = "other_market"
    PING = "ping"
    PONG = "pong"
    SHUTDOWN = "shutdown"
    SNAPSHOT = "snapshot"
    SUBSCRIBE_ERROR = "subscribe_error"
    UNCHANGED = "unchanged"


class OtherStream(msgspec.Struct, frozen=True):
    """A well-formed frame of a kind that the adapter does not read, by the venue's name for it."""

    kind: str


class Answer(msgspec.Struct, frozen=True):
    """A frame that wants to be answered at once, and with what: some venues' ping."""

    words: str


@final
class MarkPrice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The venue's own mark of one contract. Proves that a socket lives; makes no record.

    `ts_event_ms` is the venue's time, or `None` where it gives none: never our clock.
    """

    exchange: str
    symbol: str
    coin: str
    mark_price: float
    index_price: float | None
    ts_event_ms: int | None
    ts_recv_ms: int


@final
class Unsized(msgspec.Struct, frozen=True, gc=False):
    """What was said of a contract whose size nobody knows yet; refused, never guessed."""

    symbol: str


MarketEvent = Liquidation | Trade | MarkPrice | OpenInterest
Parsed = list[MarketEvent | Unsized] | Ignored | OtherStream | Answer


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One socket: where to connect, what to say first, how it stays alive.

    `hello` is said `pace_s` apart; `retry` after the venue has refused a part of it: the same once
    more, contract by contract, where one unknown contract makes the venue refuse a whole message.
    `silence_s` without a market frame means that the socket is dead, whatever pongs say; after
    `lifetime_s` a fresh one takes over before the venue cuts this one.
    """

    url: str
    hello: tuple[str, ...]
    silence_s: float
    retry: tuple[str, ...] = ()
    pace_s: float = 0.12
    headers: tuple[tuple[str, str], ...] = ()
    ping: str | None = None
    ping_every_s: float = 20.0
    lifetime_s: float | None = None


class Adapter(Protocol):
    """One exchange: what it is called, where it is, how it is asked and how its frames are read.

    `coverage` says of every channel that is public how much of it is shown; what is not in it
    cannot be had without a key. `gapless` trades carry numbers that count every trade of their
    contract, so that one that is missing shows: a trade's `event_id` ends in its number, or in
    `first-last` where it stands for several. `contracts` is what it knows of its contracts.
    """

    name: ClassVar[str]
    ws_url: ClassVar[str]
    rest_url: ClassVar[str]
    default_funding_interval_h: ClassVar[float]
    coverage: ClassVar[Mapping[Channel, Coverage]]
    gapless: ClassVar[bool]
    rest: Rest
    contracts: "Contracts"

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; the newest word on a symbol wins."""
        ...

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel` for these symbols; none if it is not public."""
        ...

    def parse(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events in their order, or why there are none.

        Raises:
            MalformedMessage: It is not what the venue documents.
        """
        ...
