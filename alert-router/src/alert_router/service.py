"""Wiring: signals in, through the router, alerts out."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from alert_router import metrics
from alert_router.domain.routing import Router
from alert_router.settings import Settings
from foreshock_kit.kafka import Publisher, Publishing, Record, consume, keep_following
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Alert, Signal, Subscription
from foreshock_schemas.topics import ALERTS, SIGNALS, SUBSCRIPTIONS

_DAY_MS: Final = 86_400_000
_PAST: Final = {SUBSCRIPTIONS: None, ALERTS: _DAY_MS}


async def run(settings: Settings, context: Context) -> None:
    """Route signals until told to stop; settings and open incidents are read before the first."""
    cooldown_ms = settings.alert_cooldown_s * 1000
    router = Router(cooldown_ms)
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        await keep_following(group, settings, context, _PAST, partial(_on_past, router), publisher)
        if context.stop.is_set():  # what is known may be half of it
            return
        await consume(
            settings,
            context,
            topics=[SIGNALS],
            on_records=partial(route, router, publisher),
            publisher=publisher,
            rebuild_ms={SIGNALS.name: cooldown_ms},
        )


def _on_past(router: Router, record: Record) -> None:
    if isinstance(record.event, Subscription):
        router.on_subscription(record.event)
    elif isinstance(record.event, Alert):
        router.on_past_alert(record.event)


async def route(router: Router, publisher: Publishing, records: Sequence[Record]) -> None:
    """Publish the alerts of a batch; what is replayed was dealt with before."""
    for record in records:
        if not isinstance(record.event, Signal):
            continue
        if record.replayed:
            router.on_past_signal(record.event)
            continue
        alerts = router.on_signal(record.event)
        metrics.SIGNALS.labels(record.event.kind).inc()
        if not alerts:
            metrics.HELD_BACK.labels(record.event.kind).inc()
        for alert in alerts:
            await publisher.send(ALERTS, alert)
            metrics.ALERTS.labels(alert.kind, alert.severity).inc()


SERVICE = Service("alert-router", Settings, run)
