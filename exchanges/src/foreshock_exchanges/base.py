"""What every exchange adapter looks like: pure, told bytes and times, never asking for them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from foreshock_schemas.events import Instrument, Kline, Liquidation, Trade


class MalformedFrame(Exception):
    """Bytes that are not what the venue documents; nothing was taken from them."""


class UnknownInstrument(Exception):
    """A frame about a contract whose size nobody knows yet; refused, never guessed."""


class Channel(StrEnum):
    """A stream of market data that an ingester follows."""

    LIQUIDATIONS = "liquidations"
    TRADES = "trades"


class Ignored(StrEnum):
    """Why a frame that is well formed gives no event."""

    ACK = "ack"
    NOT_FILLED = "not_filled"
    NOT_MARKET = "not_market"
    OTHER_MARKET = "other_market"
    OTHER_STREAM = "other_stream"
    SHUTDOWN = "shutdown"
    SNAPSHOT = "snapshot"
    SUBSCRIBE_ERROR = "subscribe_error"


class MarkPrice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The venue's own mark of one contract. Proves that a socket lives; makes no record."""

    exchange: str
    symbol: str
    coin: str
    mark_price: float
    index_price: float | None
    ts_event_ms: int
    ts_recv_ms: int


MarketEvent = Liquidation | Trade | MarkPrice
Parsed = list[MarketEvent] | Ignored


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One socket: where to connect, what to say first, how it stays alive.

    `silence_s` without a market frame means that the socket is dead, whatever pongs say.
    """

    url: str
    hello: tuple[str, ...]
    silence_s: float
    ping: str | None = None
    ping_every_s: float = 20.0
    lifetime_s: float | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One keyless GET: a path on the venue's REST host, and what it costs of its budget."""

    path: str
    params: tuple[tuple[str, str], ...] = ()
    weight: int = 1


class Ticker(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One contract's last 24 hours."""

    symbol: str
    coin: str
    last_price: float
    volume_24h_usd: float
    change_24h_pct: float
    ts_event_ms: int


class Premium(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One contract's mark, index and funding (a share per funding interval)."""

    symbol: str
    coin: str
    mark_price: float
    index_price: float | None
    funding_rate: float | None
    next_funding_ms: int | None
    ts_event_ms: int


class OpenContracts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One contract's open interest, one-sided, in coins."""

    symbol: str
    coin: str
    open_interest_coins: float
    ts_event_ms: int


class Supply(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Circulating coins, as the venue passes it on."""

    coin: str
    circulating_coins: float
    ts_event_ms: int


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A REST host's limit: `weight` per `window_s`; `used_header` tells what is used."""

    weight: int
    window_s: float
    used_header: str | None = None


class Rest(Protocol):
    """The venue's keyless REST calls: each a request, and how to read its body.

    Every reader raises `MalformedFrame` when the body is not what the venue documents.
    """

    budget: ClassVar[Budget]

    def instruments(self) -> Request:
        """Ask for every contract."""
        ...

    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals that are ours to follow, of any status."""
        ...

    def tickers(self) -> Request:
        """Ask for the last 24 hours of every contract."""
        ...

    def read_tickers(self, body: bytes) -> list[Ticker]:
        """Return the tickers of contracts that are ours."""
        ...

    def premiums(self) -> Request:
        """Ask for mark, index and funding of every contract."""
        ...

    def read_premiums(self, body: bytes) -> list[Premium]:
        """Return them for contracts that are ours and have a mark."""
        ...

    def funding_intervals(self) -> Request:
        """Ask for funding intervals that are not the usual ones."""
        ...

    def read_funding_intervals(self, body: bytes) -> Mapping[str, float]:
        """Return hours by symbol, where they differ from `default_funding_interval_h`."""
        ...

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for the open interest of these contracts."""
        ...

    def read_open_interest(self, body: bytes) -> list[OpenContracts]:
        """Return the open interest in one of the answers."""
        ...

    def klines(self, symbol: str, interval: str, limit: int) -> Request:
        """Ask for the newest candles of a contract; intervals are `15m` and `1h`."""
        ...

    def read_klines(self, body: bytes, symbol: str, interval: str, recv_ms: int) -> list[Kline]:
        """Return the candles, oldest first; the last may be unfinished."""
        ...

    def supply(self, symbol: str) -> Request | None:
        """Ask for a coin's circulating supply, if the venue passes it on."""
        ...

    def read_supply(self, body: bytes) -> list[Supply]:
        """Return the supplies that are known."""
        ...


class Adapter(Protocol):
    """One exchange. Holds instruments, if it needs them, and nothing else."""

    name: ClassVar[str]
    ws_url: ClassVar[str]
    rest_url: ClassVar[str]
    default_funding_interval_h: ClassVar[float]
    rest: Rest

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Take note of contracts; the newest word on a symbol wins."""
        ...

    def feeds(self, channel: Channel, symbols: Sequence[str], ws_url: str) -> list[Feed]:
        """Return the sockets that carry `channel` for these venue symbols."""
        ...

    def parse(self, frame: bytes, recv_ms: int) -> Parsed:
        """Return a frame's events, or why there are none.

        Raises:
            MalformedFrame: It is not what the venue documents.
            UnknownInstrument: Its contract's size is not known.
        """
        ...
