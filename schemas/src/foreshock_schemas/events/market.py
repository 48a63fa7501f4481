"""What exchanges say, normalised: every amount in coins or USD, every time in ms."""

from typing import Literal

import msgspec

from foreshock_schemas.events.base import Aggressor, Coverage, Event, Position

FeedState = Literal["LIVE", "QUIET", "MUTE", "STALE", "PARTIAL", "DOWN", "UNKNOWN"]
InstrumentStatus = Literal["trading", "pending", "closing", "closed"]
Tier = Literal["mega", "large", "mid", "small"]


class Liquidation(Event, frozen=True, gc=False):
    """A position closed by force. `symbol` is the venue's own name of the contract."""

    exchange: str
    symbol: str
    coin: str
    position: Position
    price: float
    size_coins: float
    notional_usd: float
    coverage: Coverage
    ts_source: Literal["venue", "receive"] = "venue"


class Trade(Event, frozen=True, gc=False):
    """One trade, or one taker order's fills at one price where the venue aggregates them."""

    exchange: str
    symbol: str
    coin: str
    aggressor: Aggressor
    price: float
    size_coins: float
    notional_usd: float


class Bar(Event, frozen=True, gc=False):
    """One second of one coin's trades on one exchange; prices are missing when none traded.

    `ts_event_ms` is the bar's end. `largest_cluster_usd` is the largest same-side run of
    trades within 100 ms; `late_notional_usd` belongs to bars that had already closed.
    """

    exchange: str
    coin: str
    start_ms: int
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    notional_usd: float
    taker_buy_usd: float
    trades: int
    largest_cluster_usd: float
    late_notional_usd: float
    mark_price: float | None


class Kline(Event, frozen=True, gc=False):
    """One candle of history, read by REST; `ts_event_ms` is its end.

    `taker_buy_usd` and `trades` are 0 where the venue does not tell them.
    """

    exchange: str
    symbol: str
    coin: str
    interval: Literal["15m", "1h"]
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume_coins: float
    notional_usd: float
    taker_buy_usd: float
    trades: int


class OpenInterest(Event, frozen=True, gc=False):
    """Open contracts of one coin on one exchange, one-sided, with what is read beside them.

    `funding_rate` is a share per `funding_interval_h` hours: 0.0001 is 0.01 %. Figures from before
    `comparable_since_ms` were counted in another way: a difference to them is no event.
    """

    exchange: str
    symbol: str
    coin: str
    open_interest_coins: float
    open_interest_usd: float
    mark_price: float
    index_price: float | None
    funding_rate: float | None
    funding_interval_h: float | None
    next_funding_ms: int | None
    comparable_since_ms: int = 0


class MarketStats(Event, frozen=True, gc=False, kw_only=True):
    """What a coin is like: the inputs of thresholds, each with the time it was true at.

    `volatility_daily` is the standard deviation of 1 h log returns over 30 days x sqrt(24);
    `avg_daily_volume_usd` the mean of the last `volume_days` daily quote volumes.
    """

    coin: str
    in_universe: bool
    exchanges: tuple[str, ...]
    price: float | None = None
    price_change_24h_pct: float | None = None
    volume_24h_usd: float | None = None
    market_cap_usd: float | None = None
    market_cap_source: str | None = None
    market_cap_ms: int | None = None
    tier: Tier | None = None
    avg_daily_volume_usd: float | None = None
    volume_days: int
    volume_ms: int | None = None
    volatility_daily: float | None = None
    volatility_ms: int | None = None


class MarginTier(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Maintenance margin from `floor_usd` of notional on: `notional * rate - deduction_usd`."""

    floor_usd: float
    rate: float
    max_leverage: float
    deduction_usd: float


class Instrument(Event, frozen=True, gc=False, kw_only=True):
    """One contract of a venue: one contract is `contract_size` units of `multiplier` coins.

    An `inverse` one is `contract_size` of the quote currency, whatever that buys. One contract of
    each coin and exchange is `followed`; the others are told for what their sizes mean.
    """

    exchange: str
    symbol: str
    coin: str
    quote: str
    multiplier: float
    contract_size: float
    tick_size: float | None
    status: InstrumentStatus
    funding_interval_h: float | None
    tiers: tuple[MarginTier, ...] = ()
    inverse: bool = False
    followed: bool = True


class FeedHealth(Event, frozen=True, gc=False, kw_only=True):
    """Whether one channel of one exchange can be believed, or (`missing` set) a gap as a fact."""

    exchange: str
    channel: str
    state: FeedState
    reason: str
    since_ms: int
    symbol: str | None = None
    gap_start_ms: int | None = None
    gap_end_ms: int | None = None
    missing: int | None = None
    refilled: int | None = None
