"""What detectors conclude: thresholds, zones, signals, and what came of them."""

from typing import Literal

import msgspec

from foreshock_schemas.events.base import Coverage, Event, Position, Severity
from foreshock_schemas.events.market import Tier

Session = Literal["asian", "european", "us", "weekend"]
SignalKind = Literal[
    "liquidation", "cascade", "volume_spike", "oi_explosion", "zone_warning", "feed"
]


class Threshold(Event, frozen=True, gc=False, kw_only=True):
    """The limits in force for one coin, and every factor that they were made of.

    `method` says by which rule: `baseline_prd`, or `fixed` for the original constants.
    """

    coin: str
    method: str
    session: Session
    tier: Tier | None
    single_liquidation_usd: float
    cascade_usd: float
    volume_15m_usd: float | None
    oi_change_pct: float
    oi_minimum_usd: float
    market_cap_usd: float | None
    avg_daily_volume_usd: float | None
    volatility_daily: float | None
    base_share: float | None
    session_multiplier: float
    volatility_multiplier: float
    confidence: float
    next_review_ms: int


class Zone(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A price band where positions of one side are expected to be liquidated."""

    position: Position
    price: float
    price_low: float
    price_high: float
    leverage: float | None
    expected_usd: float
    distance_pct: float
    confidence: float
    probability: float | None = None


class ZoneMap(Event, frozen=True, gc=False, kw_only=True):
    """All zones of one coin, nearest first, with what they were computed from."""

    coin: str
    model: str
    price: float
    anchor_price: float
    anchor_ms: int
    open_interest_usd: float
    funding_rate_8h: float | None
    estimated_leverage: float
    long_ratio: float
    zones: tuple[Zone, ...]


class Evidence(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One record that a signal rests on, so that anybody can look it up."""

    topic: str
    partition: int
    offset: int
    event_id: str


class Signal(Event, frozen=True, gc=False, kw_only=True):
    """Something worth telling, and why: `value` reached `limit` (both in `unit`).

    `headline` is one plain sentence; `reasons` are further ones. `direction` is where the
    price goes if it goes on. A signal of the whole market has the coin `MARKET`.
    """

    coin: str
    kind: SignalKind
    severity: Severity
    headline: str
    reasons: tuple[str, ...]
    value: float
    limit: float
    unit: Literal["usd", "pct", "state"]
    window_s: int
    position: Position | None
    direction: Literal["up", "down"] | None
    price: float | None
    method: str
    exchanges: tuple[str, ...]
    coverage: Coverage
    evidence: tuple[Evidence, ...]
    repeat: bool = False


class StateSnapshot(Event, frozen=True, gc=False, kw_only=True):
    """A detector's state of one coin; `offsets` ("topic:partition") are the next to read."""

    service: str
    coin: str
    offsets: dict[str, int]
    state: bytes


class Outcome(Event, frozen=True, gc=False, kw_only=True):
    """What followed a signal within `horizon_s`."""

    signal_id: str
    coin: str
    kind: SignalKind
    hit: bool
    lead_s: float | None
    realised_usd: float | None
    expected_usd: float | None
    horizon_s: int
