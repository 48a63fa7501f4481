"""All events, one import away."""

from foreshock_schemas.events.base import Aggressor, Coverage, Event, Position, Severity
from foreshock_schemas.events.delivery import Alert, Delivery, Subscription
from foreshock_schemas.events.detection import (
    Evidence,
    Outcome,
    Session,
    Signal,
    SignalKind,
    StateSnapshot,
    Threshold,
    Zone,
    ZoneMap,
)
from foreshock_schemas.events.market import (
    Bar,
    FeedHealth,
    FeedState,
    Instrument,
    Kline,
    Liquidation,
    MarginTier,
    MarketStats,
    OpenInterest,
    Tier,
    Trade,
)

__all__ = [
    "Aggressor",
    "Alert",
    "Bar",
    "Coverage",
    "Delivery",
    "Event",
    "Evidence",
    "FeedHealth",
    "FeedState",
    "Instrument",
    "Kline",
    "Liquidation",
    "MarginTier",
    "MarketStats",
    "OpenInterest",
    "Outcome",
    "Position",
    "Session",
    "Severity",
    "Signal",
    "SignalKind",
    "StateSnapshot",
    "Subscription",
    "Threshold",
    "Tier",
    "Trade",
    "Zone",
    "ZoneMap",
]
