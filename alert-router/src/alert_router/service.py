"""Wiring: signals in, through the router, alerts out."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from alert_router import metrics
from alert_router.domain.routing import Routed, Router
from alert_router.settings import Settings
from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publisher, Publishing, Record, consume, keep_following
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Alert, Signal, Subscription
from foreshock_schemas.topics import ALERTS, SIGNALS, SUBSCRIPTIONS

_DAY_MS: Final = 86_400_000
_PAST: Final = {SUBSCRIPTIONS: None, ALERTS: 3 * _DAY_MS}
_REBUILD_MS: Final = _DAY_MS + 3_600_000
"""Limits and cooldowns look back a day at most, and signals may be late."""

_IDLE_S: Final = 5.0
"""Without a signal for so long the clock stands in for the signals' time."""


async def run(settings: Settings, context: Context) -> None:
    """Route signals until told to stop; first read settings of chats and alerts of the past."""
    router = Router(settings.alert_cooldown_s * 1000, settings.alerts_per_day)
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        await keep_following(group, settings, context, _PAST, partial(_on_past, router), publisher)
        if context.stop.is_set():  # the past may have been read in part only
            return
        routing = Routing(router, publisher, context.clock)
        keeping_time = group.create_task(_keep_time(routing))
        await consume(
            settings,
            context,
            topics=[SIGNALS],
            on_records=routing.on_records,
            publisher=publisher,
            rebuild_ms={SIGNALS.name: _REBUILD_MS},
        )
        keeping_time.cancel()


def _on_past(router: Router, record: Record) -> None:
    if isinstance(record.event, Subscription):
        router.on_subscription(record.event)
    elif isinstance(record.event, Alert):
        router.on_past_alert(record.event)


class Routing:
    """Publishes what the router decides, in the order of its decisions."""

    def __init__(self, router: Router, publisher: Publishing, clock: Clock) -> None:
        self._router = router
        self._publisher = publisher
        self._clock = clock
        self._turn = asyncio.Lock()
        self._last_read_s = clock.monotonic()
        self._rebuilding = False

    async def on_records(self, records: Sequence[Record]) -> None:
        """Publish the alerts of a batch; what is replayed only rebuilds the state."""
        async with self._turn:
            for record in records:
                if isinstance(record.event, Signal):
                    await self._on_signal(record.event, replayed=record.replayed)
            self._last_read_s = self._clock.monotonic()
            self._rebuilding = bool(records) and records[-1].replayed

    async def on_idle(self) -> None:
        """Publish what is due by the clock, if no signal has come for a while.

        Not while the past is read again: with half of it nobody knows what is due.
        """
        async with self._turn:
            if not self._rebuilding and self._clock.monotonic() >= self._last_read_s + _IDLE_S:
                idle_ms = int(_IDLE_S * 1000)
                await self._publish(self._router.on_time(self._clock.now_ms() - idle_ms))

    async def _on_signal(self, signal: Signal, *, replayed: bool) -> None:
        if replayed:
            self._router.on_past_signal(signal)
            return
        metrics.SIGNALS.labels(signal.kind).inc()
        routed = self._router.on_signal(signal)
        if routed.untold is not None:
            metrics.HELD_BACK.labels(signal.kind, routed.untold).inc()
        await self._publish(routed)

    async def _publish(self, routed: Routed) -> None:
        for news in routed.news:
            if news.state is not None:
                metrics.INCIDENTS.labels(news.state).inc()
            elif news.kind == "market_wide" and news.revision.number == 1:
                metrics.MARKET_WIDE.inc()
        for alert in routed.alerts:
            await self._publisher.send(ALERTS, alert)
            if alert.held_back:
                metrics.HELD_BACK.labels(alert.kind, "limit").inc()
            else:
                metrics.ALERTS.labels(alert.kind, alert.severity).inc()


async def _keep_time(routing: Routing) -> None:
    while True:
        await asyncio.sleep(1.0)
        await routing.on_idle()


SERVICE = Service("alert-router", Settings, run)
