"""Wiring: topics into views, alerts to the courier, Telegram's updates to the bot."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from foreshock_kit.kafka import Publisher, Record, consume, keep_following
from foreshock_kit.service import Context, Service
from foreshock_schemas import topics
from foreshock_schemas.events import Alert, Delivery, Subscription
from telegram_gateway import metrics
from telegram_gateway.domain.access import Access
from telegram_gateway.domain.desk import Desk
from telegram_gateway.domain.held_back import HeldBack
from telegram_gateway.domain.ledger import Ledger
from telegram_gateway.domain.subscriptions import Subscriptions
from telegram_gateway.domain.texts import Flags
from telegram_gateway.domain.views import Views
from telegram_gateway.edge.bot import Bot
from telegram_gateway.edge.connection import App, application, listening, stay_known
from telegram_gateway.edge.courier import Courier
from telegram_gateway.edge.monitoring import Known, Monitoring
from telegram_gateway.edge.replies import Replies
from telegram_gateway.edge.sender import Sender
from telegram_gateway.settings import Settings

_HOUR_MS: Final = 3_600_000
_VIEWS: Final = {
    topics.BARS: _HOUR_MS,
    topics.KLINES: 25 * _HOUR_MS,
    topics.OPEN_INTEREST: _HOUR_MS,
    topics.LIQUIDATIONS: _HOUR_MS,
    topics.MARKET_STATS: None,
    topics.THRESHOLDS: None,
    topics.ZONES: None,
    topics.FEED_HEALTH: 24 * _HOUR_MS,
}
"""How far back each view starts; `None`: whole."""
_RECORDS: Final = {topics.SUBSCRIPTIONS: None, topics.DELIVERIES: None}
"""What has to be known before anybody is told anything."""


async def run(settings: Settings, context: Context) -> None:
    """Deliver alerts and answer commands until told to stop."""
    known = Known(Views(), Subscriptions(), Ledger(), HeldBack())
    app = application(
        settings.telegram_bot_token, settings.telegram_api_url, settings.telegram_timeout_s
    )
    sender = Sender(app.bot, context.clock)
    authorised = settings.telegram_authorized_users
    context.ready("telegram", ok=False, why="not connected yet")
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        monitoring = Monitoring(known, _flags(settings), authorised, publisher, context.clock)
        courier = Courier(
            sender,
            known.ledger,
            publisher,
            context.clock,
            wanted=monitoring.wanted,
            group=group,
        )
        bot = Bot(
            Desk(known.views),
            monitoring,
            Access(authorised),
            sender,
            Replies(sender, group),
            context.clock,
        )
        bot.attach(app)
        records, views = partial(_on_record, known), partial(_on_event, known.views)
        await keep_following(group, settings, context, _RECORDS, records, publisher)
        await keep_following(group, settings, context, _VIEWS, views, publisher)
        if context.stop.is_set():  # what is known may be half of it
            return
        if settings.enable_auto_start:
            await monitoring.auto_start()
        talking = group.create_task(_talk(context, app, monitoring, sender))
        await consume(
            settings,
            context,
            topics=[topics.ALERTS],
            on_records=partial(_on_alerts, courier, known.held_back),
            publisher=publisher,
            rebuild_ms={topics.ALERTS.name: 24 * _HOUR_MS},
        )
        courier.stop()
        talking.cancel()


def _on_event(views: Views, record: Record) -> None:
    views.on_event(record.event)


def _on_record(known: Known, record: Record) -> None:
    if isinstance(record.event, Subscription):
        known.subscriptions.apply(record.event)
    elif isinstance(record.event, Delivery):
        known.ledger.apply(record.event)


async def _on_alerts(courier: Courier, held_back: HeldBack, records: Sequence[Record]) -> None:
    alerts = [each.event for each in records if isinstance(each.event, Alert)]
    for alert in alerts:
        if alert.held_back:
            held_back.add(alert)
            metrics.SKIPPED.labels("held_back").inc()
    await courier.take([alert for alert in alerts if not alert.held_back])


async def _talk(context: Context, app: App, monitoring: Monitoring, sender: Sender) -> None:
    """Converse until cancelled."""
    async with listening(app):
        context.ready("telegram")
        try:
            await monitoring.announce(sender)
            await stay_known(app)
        finally:
            sender.wait_no_more()


def _flags(settings: Settings) -> Flags:
    return Flags(
        dynamic_thresholds=settings.enable_dynamic_thresholds,
        volume_monitoring=settings.enable_volume_monitoring,
        predictive_zones=settings.enable_predictive_zones,
        alerts_per_day=settings.alerts_per_day,
    )


SERVICE = Service("telegram-gateway", Settings, run)
