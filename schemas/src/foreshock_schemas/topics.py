"""The topic table: what each topic carries, by which key, for how long, and who writes it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

import msgspec

from foreshock_schemas import events
from foreshock_schemas.events import Event

Cleanup = Literal["delete", "compact", "compact,delete"]

MARKET_PARTITIONS: Final = 12
"""Of every topic keyed by coin, so that partition i of each meets in one consumer."""

_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. `key_of` gives an event's key; times in ms, `None` keeps for ever.

    `written_by` names the services that write it today: none, while it is only planned.
    """

    name: str
    event: type[Event]
    key_of: Callable[[Any], str]
    key: str
    partitions: int
    cleanup: Cleanup
    retention_ms: int | None
    compaction_lag_ms: int = 0
    written_by: tuple[str, ...]

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings of this topic."""
        config: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.compaction_lag_ms:
            config["min.compaction.lag.ms"] = str(self.compaction_lag_ms)
        return config

    @property
    def dead_letters(self) -> str:
        """The name of the topic that takes what of this one cannot be read."""
        return f"{self.name}.dlq"


def _coin(event: Any) -> str:
    return str(event.coin)


def _topic(
    plural: str,
    event: type[Event],
    cleanup: Cleanup,
    days: float | None,
    *written_by: str,
    key: str,
    key_of: Callable[[Any], str],
    partitions: int,
    lag_days: int = 0,
) -> Topic:
    return Topic(
        name=f"foreshock.{plural}.v1",
        event=event,
        key_of=key_of,
        key=key,
        partitions=partitions,
        cleanup=cleanup,
        retention_ms=None if days is None else round(days * _DAY),
        compaction_lag_ms=lag_days * _DAY,
        written_by=written_by,
    )


_by_coin = partial(_topic, key="coin", key_of=_coin, partitions=MARKET_PARTITIONS)
_single = partial(_topic, partitions=1)

LIQUIDATIONS: Final = _by_coin(
    "liquidations", events.Liquidation, "delete", 30, "ingest-liquidations"
)
TRADES: Final = _by_coin("trades", events.Trade, "delete", 0.25, "ingest-trades")
BARS: Final = _by_coin("bars", events.Bar, "delete", 14, "ingest-trades")
KLINES: Final = _by_coin("klines", events.Kline, "delete", 60, "oi-poller")
OPEN_INTEREST: Final = _by_coin("open-interest", events.OpenInterest, "delete", 30, "oi-poller")
MARKET_STATS: Final = _by_coin(
    "market-stats", events.MarketStats, "compact,delete", 60, "oi-poller", lag_days=30
)
INSTRUMENTS: Final = _single(
    "instruments",
    events.Instrument,
    "compact",
    None,
    "oi-poller",
    key="exchange:symbol",
    key_of=lambda i: f"{i.exchange}:{i.symbol}",
    lag_days=30,
)
FEED_HEALTH: Final = _single(
    "feed-health",
    events.FeedHealth,
    "delete",
    30,
    "ingest-liquidations",
    "ingest-trades",
    "oi-poller",
    key="exchange:channel",
    key_of=lambda h: f"{h.exchange}:{h.channel}",
)
THRESHOLDS: Final = _by_coin(
    "thresholds", events.Threshold, "compact,delete", 60, "threshold-service", lag_days=30
)
ZONES: Final = _by_coin("zones", events.ZoneMap, "compact", None, "predictor-service")
SIGNALS: Final = _by_coin(
    "signals",
    events.Signal,
    "delete",
    30,
    "threshold-service",
    "predictor-service",
    "ingest-liquidations",
    "ingest-trades",
    "oi-poller",
)
STATE: Final = _topic(
    "state",
    events.StateSnapshot,
    "delete",
    7,
    "threshold-service",
    key="service:coin",
    key_of=lambda s: f"{s.service}:{s.coin}",
    partitions=MARKET_PARTITIONS,
)
SETTINGS: Final = _single(
    "settings",
    events.DetectorSettings,
    "compact",
    None,
    "threshold-service",
    key="scope:changed_by",
    key_of=lambda s: f"{s.scope}:{s.changed_by}",
    lag_days=30,
)
OUTCOMES: Final = _single(
    "outcomes",
    events.Outcome,
    "delete",
    90,
    key="signal_id",
    key_of=lambda o: str(o.signal_id),
)
ALERTS: Final = _single(
    "alerts",
    events.Alert,
    "delete",
    30,
    "alert-router",
    key="chat_id",
    key_of=lambda a: str(a.chat_id),
)
DELIVERIES: Final = _single(
    "deliveries",
    events.Delivery,
    "compact,delete",
    30,
    "telegram-gateway",
    key="incident:chat",
    key_of=lambda d: f"{d.incident_id}:{d.chat_id}",
)
SUBSCRIPTIONS: Final = _single(
    "subscriptions",
    events.Subscription,
    "compact",
    None,
    "telegram-gateway",
    key="chat_id",
    key_of=lambda s: str(s.chat_id),
)

TOPICS: Final[tuple[Topic, ...]] = (
    LIQUIDATIONS,
    TRADES,
    BARS,
    KLINES,
    OPEN_INTEREST,
    MARKET_STATS,
    INSTRUMENTS,
    FEED_HEALTH,
    THRESHOLDS,
    ZONES,
    SIGNALS,
    STATE,
    SETTINGS,
    OUTCOMES,
    ALERTS,
    DELIVERIES,
    SUBSCRIPTIONS,
)

DEAD_LETTER_RETENTION_MS: Final = 14 * _DAY

MARKET: Final = "MARKET"
"""The coin of a signal that concerns the whole market."""
