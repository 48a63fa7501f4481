"""What detectors conclude: thresholds, zones, signals, and what came of them."""

from typing import Literal

import msgspec

from foreshock_schemas.events.base import Coverage, Event, Position, Severity
from foreshock_schemas.events.market import FeedState, Tier

Session = Literal["asian", "european", "us", "weekend"]
SignalKind = Literal[
    "liquidation",
    "cascade",
    "volume_spike",
    "oi_explosion",
    "zone_warning",
    "feed",
    "market_wide",
]
IncidentState = Literal["BUILDING", "CONFIRMED", "FADING", "ENDED"]


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


class OffsetRange(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Records `first` to `last`, both included, of one partition."""

    topic: str
    partition: int
    first: int
    last: int


class Factor(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing that moved a limit or a score, and by how much.

    `value` is the thing itself; `contribution` its share of the score, in the score's unit.
    """

    name: str
    value: float
    contribution: float


class FeedAt(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A feed's state at the time of a signal; a sum leaves out what is DOWN or MUTE."""

    exchange: str
    channel: str
    state: FeedState


class MarketContext(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Price, open interest and taker flow over the last `over_s`; None: not known.

    `reading` says in words what the three mean together, such as "new longs lead".
    """

    over_s: int
    price_pct: float | None
    open_interest_pct: float | None
    cvd_usd: float | None
    reading: str | None


class Why(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a signal was made of, so that anybody can check it.

    `model` is the rule and its version; `baseline` what was expected, in the signal's unit; `score`
    how far above, in robust standard deviations (of a cascade: in basis points of open interest);
    `score_limit` what the score had to reach. `feeds` and `settings_id` held at the time;
    `held_back` crossings were silent for the budget since the last signal; `reproduce` is the
    command that makes the signal again.
    """

    model: str
    baseline: float | None
    score: float | None
    score_limit: float | None
    factors: tuple[Factor, ...]
    inputs: tuple[OffsetRange, ...]
    feeds: tuple[FeedAt, ...]
    settings_id: str | None
    held_back: int
    reproduce: str


class Signal(Event, frozen=True, gc=False, kw_only=True):
    """Something worth telling, and why: `value` reached `limit` (both in `unit`).

    `headline` is one plain sentence; `reasons` are further ones. `direction` is where the
    price goes if it goes on. A signal of the whole market has the coin `MARKET`. Signals of one
    incident share `incident_id`; `continuation` is the probability that it goes on.
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
    incident_id: str | None = None
    incident_state: IncidentState | None = None
    continuation: float | None = None
    context: MarketContext | None = None
    why: Why | None = None


class DetectorSettings(Event, frozen=True, gc=False, kw_only=True):
    """What detectors are told, whole; it holds for what is received `30 s` after it and later.

    `scope` is a coin, or `*` for every coin that has none of its own. `budgets` are alerts a day
    by signal kind; a kind that is not there has the default.
    """

    scope: str
    dynamic_thresholds: bool
    volume_monitoring: bool
    budgets: dict[str, float]
    changed_by: Literal["environment", "user"]


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
