"""What can be asked of every exchange's REST host without a key, and what it says."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import msgspec

from foreshock_schemas.events import Instrument, Kline, MarginTier, Trade


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One keyless call: a path on the venue's REST host, and what it costs of its budget.

    It is a GET, or a POST of `json` where the venue wants one.
    """

    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: str | None = None
    weight: int = 1


class Ticker(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One contract's last 24 hours; prices in USD for one coin."""

    symbol: str
    coin: str
    last_price: float
    volume_24h_usd: float
    change_24h_pct: float
    ts_event_ms: int


class Premium(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One contract's mark, index and funding (a share per funding interval).

    `funding_interval_h` is missing where the venue tells it elsewhere.
    """

    symbol: str
    coin: str
    mark_price: float
    index_price: float | None
    funding_rate: float | None
    next_funding_ms: int | None
    ts_event_ms: int
    funding_interval_h: float | None = None


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
    """A REST host's limit: `weight` per `window_s`; `used_header` tells what is used.

    `refused_s`: how long to leave the host alone, by status, where it does not say itself.
    `slow_down`: a pattern of bodies that mean the same as a status of 429, whatever theirs is.
    """

    weight: int
    window_s: float
    used_header: str | None = None
    refused_s: tuple[tuple[int, float], ...] = ()
    slow_down: str | None = None


class Rest(Protocol):
    """The venue's keyless REST calls: each a request, and how to read its body.

    Bodies are read with `recv_ms`, our clock at their receipt, which stands in where the venue
    gives no time. Every reader raises `MalformedMessage` when a body is not what the venue
    documents. A call that the venue does not have is `None` or an empty list. An answer of
    `klines` holds `candles_a_page` candles at most; `next_page` asks for older ones.
    """

    budget: ClassVar[Budget]
    candles_a_page: ClassVar[int]

    def instruments(self) -> Request:
        """Ask for every contract."""
        ...

    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals of coins, of any status, one for each symbol."""
        ...

    def next_page(self, request: Request, body: bytes) -> Request | None:
        """Return the request for what did not fit into the body, if there is more."""
        ...

    def tickers(self) -> Request:
        """Ask for the last 24 hours of every contract."""
        ...

    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers of contracts that are known."""
        ...

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for mark, index and funding of these contracts, or of all if that costs no more."""
        ...

    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them, from the answers in the order asked, for contracts that have a mark."""
        ...

    def funding_intervals(self) -> Request | None:
        """Ask for funding intervals that neither instruments nor premiums tell."""
        ...

    def read_funding_intervals(self, body: bytes) -> Mapping[str, float]:
        """Return hours by symbol, where they differ from `default_funding_interval_h`."""
        ...

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for the open interest of these contracts."""
        ...

    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest in one of the answers, maybe that of others, too."""
        ...

    def klines(self, symbol: str, interval: str, limit: int, now_ms: int) -> Request | None:
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

    def tiers(self, symbols: Sequence[str]) -> list[Request]:
        """Ask for the margin tiers of these contracts, where instruments do not tell them."""
        ...

    def read_tiers(self, body: bytes) -> Mapping[str, tuple[MarginTier, ...]]:
        """Return tiers by symbol, smallest first, from one of the answers or pages."""
        ...

    def trades(self, symbol: str, first: int, last: int) -> Request | None:
        """Ask for the trades with these numbers, or as many of them as fit one answer."""
        ...

    def read_trades(self, body: bytes, symbol: str, recv_ms: int) -> list[Trade]:
        """Return the trades in an answer, with the stream's ids.

        Where the stream makes one event of several trades (OKX), they are single ones here.
        """
        ...
