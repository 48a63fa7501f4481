"""Each chat's alerts, on and off and which: by themselves at first, then as its user says."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publishing
from foreshock_kit.logs import get_logger
from foreshock_schemas.events import Alert, Subscription
from foreshock_schemas.topics import SUBSCRIPTIONS
from telegram_gateway.domain import kinds, markup, texts
from telegram_gateway.domain.answering import Answer
from telegram_gateway.domain.held_back import HeldBack
from telegram_gateway.domain.ledger import Ledger
from telegram_gateway.domain.subscriptions import Subscriptions
from telegram_gateway.domain.views import Views
from telegram_gateway.edge.sender import MaybeSent, NotSent, Sender, Undeliverable

_BACKOFF: Final = Backoff(first_s=1.0, longest_s=60.0)

_log = get_logger(__name__)


class Known(msgspec.Struct, frozen=True):
    """What the topics say, as far as they are read."""

    views: Views
    subscriptions: Subscriptions
    ledger: Ledger
    held_back: HeldBack


class Monitoring:
    """Switches alerts on and off, and says how they stand.

    Settings count once Kafka has them: whoever is answered "off" stays off, whatever dies. One
    change waits for another, so that none is made of settings that another has left behind.
    """

    def __init__(
        self,
        known: Known,
        flags: texts.Flags,
        authorised: Collection[int],
        publisher: Publishing,
        clock: Clock,
    ) -> None:
        self._known = known
        self._flags = flags
        self._authorised = authorised
        self._publisher = publisher
        self._clock = clock
        self._turn = asyncio.Lock()

    def wanted(self, alert: Alert) -> bool:
        """Return whether an alert is to be delivered: its user may have it and wants it."""
        return alert.chat_id in self._authorised and self._known.subscriptions.wants(alert)

    async def answer(self, chat_id: int, words: Sequence[str]) -> Answer:
        """Do what `/alerts words` asks for and return what to say."""
        word = words[0].lower()
        if word == "status":
            return Answer(self._status(chat_id))
        async with self._turn:
            if word in {"start", "stop"}:
                return Answer(await self._switch(chat_id, active=word == "start"))
            if word in kinds.WORDS:
                return await self._choose(chat_id, word, words[1:])
        return Answer(texts.alerts_usage(words[0]))

    async def auto_start(self) -> None:
        """Subscribe those who never had a say."""
        now_ms = self._clock.now_ms()
        for settings in self._known.subscriptions.auto_start(self._authorised, now_ms):
            await self._write(settings)
            _log.info("monitoring_auto_started", chat=settings.chat_id)

    async def announce(self, sender: Sender) -> None:
        """Tell each of them once, however long Telegram is away."""
        failures = 0
        while to_tell := self._known.subscriptions.to_announce(self._authorised):
            told = [await self._announce_to(settings, sender) for settings in to_tell]
            if not all(told):
                failures += 1
                await asyncio.sleep(_BACKOFF.delay(failures))

    async def _announce_to(self, settings: Subscription, sender: Sender) -> bool:
        """Return whether nobody needs to try again; a user's word meanwhile is left alone."""
        text = markup.message(texts.auto_started(self._flags))
        try:
            await sender.turn(settings.chat_id)
            await sender.send(settings.chat_id, text)
        except NotSent:
            return False
        except (MaybeSent, Undeliverable) as e:
            _log.warning("announcement_failed", chat=settings.chat_id, why=str(e))
        async with self._turn:
            for now in self._known.subscriptions.to_announce([settings.chat_id]):
                await self._write(self._known.subscriptions.announced(now, self._clock.now_ms()))
        return True

    async def _switch(self, chat_id: int, *, active: bool) -> list[str]:
        changed = self._known.subscriptions.active(chat_id) != active
        now_ms = self._clock.now_ms()
        await self._write(self._known.subscriptions.switch(chat_id, active=active, now_ms=now_ms))
        return texts.switched(active=active, changed=changed)

    async def _choose(self, chat_id: int, word: str, said: Sequence[str]) -> Answer:
        subscriptions = self._known.subscriptions
        before = subscriptions.muted(chat_id)
        try:
            after = kinds.muted_after(word, said, before)
        except kinds.UnknownKind as e:
            return kinds.unknown(str(e))
        if after != before:
            await self._write(subscriptions.mute(chat_id, after, self._clock.now_ms()))
        return kinds.answer(after, active=subscriptions.active(chat_id))

    def _status(self, chat_id: int) -> list[str]:
        known, now_ms = self._known, self._clock.now_ms()
        return texts.status(
            known.subscriptions.of(chat_id),
            self._flags,
            [known.views.feeds[key] for key in sorted(known.views.feeds)],
            known.ledger.last_sent(chat_id),
            known.held_back.today(chat_id, now_ms),
            known.views.followed(),
            now_ms,
        )

    async def _write(self, settings: Subscription) -> None:
        await self._publisher.send(SUBSCRIPTIONS, settings)
        self._known.subscriptions.wrote(settings)
