"""Wiring: signals in, through the router, alerts out."""

import asyncio
from collections.abc import Sequence
from functools import partial

from alert_router import metrics
from alert_router.domain.routing import Router
from alert_router.settings import Settings
from foreshock_kit.kafka import Publisher, Publishing, Record, consume, follow
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Signal, Subscription
from foreshock_schemas.topics import ALERTS, SIGNALS, SUBSCRIPTIONS


async def run(settings: Settings, context: Context) -> None:
    """Route signals until told to stop; the chats' settings are read whole before the first."""
    cooldown_ms = settings.alert_cooldown_s * 1000
    router = Router(cooldown_ms)
    known = asyncio.Event()
    context.ready("subscriptions", ok=False, why="not read yet")
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        view = group.create_task(
            follow(
                settings,
                context,
                [SUBSCRIPTIONS],
                partial(_on_subscription, router),
                since_ms={SUBSCRIPTIONS.name: None},
                caught_up=known,
            )
        )
        await known.wait()
        context.ready("subscriptions")
        await consume(
            settings,
            context,
            topics=[SIGNALS],
            on_records=partial(route, router, publisher),
            publisher=publisher,
            rebuild_ms={SIGNALS.name: cooldown_ms},
        )
        view.cancel()


def _on_subscription(router: Router, record: Record) -> None:
    if isinstance(record.event, Subscription):
        router.on_subscription(record.event)


async def route(router: Router, publisher: Publishing, records: Sequence[Record]) -> None:
    """Publish the alerts of a batch; what is replayed only rebuilds the cooldowns."""
    for record in records:
        if not isinstance(record.event, Signal):
            continue
        alerts = router.on_signal(record.event)
        if record.replayed:
            continue
        metrics.SIGNALS.labels(record.event.kind).inc()
        if not alerts:
            metrics.HELD_BACK.labels(record.event.kind).inc()
        for alert in alerts:
            await publisher.send(ALERTS, alert)
            metrics.ALERTS.labels(alert.kind, alert.severity).inc()


SERVICE = Service("alert-router", Settings, run)
