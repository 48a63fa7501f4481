"""Carries alerts to their chats: each chat at its own pace, each alert with its ledger rows."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publishing
from foreshock_kit.logs import get_logger
from foreshock_schemas.events import Alert, DeliveryState
from foreshock_schemas.topics import DELIVERIES
from telegram_gateway import metrics
from telegram_gateway.domain import markup, messages
from telegram_gateway.domain.ledger import UNANSWERED_LIMIT, Ledger, Todo
from telegram_gateway.domain.waiting import Letter, Waiting
from telegram_gateway.edge.sender import MaybeSent, NotSent, Sender, Undeliverable

_BACKOFF: Final = Backoff(first_s=1.0, longest_s=30.0)

_log = get_logger(__name__)


class Courier:
    """Takes alerts without waiting and delivers them in a task of its own for each chat.

    An offset may be committed as soon as an alert is taken: after a restart the last day is
    read again, and the ledger says what is still to do.
    """

    def __init__(
        self,
        sender: Sender,
        ledger: Ledger,
        publisher: Publishing,
        clock: Clock,
        *,
        wanted: Callable[[Alert], bool],
        group: asyncio.TaskGroup,
    ) -> None:
        self._sender = sender
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._wanted = wanted
        self._group = group
        self._chats: dict[int, _Chat] = {}
        metrics.WAITING.set_function(lambda: sum(len(c.waiting) for c in self._chats.values()))

    async def take(self, alerts: Sequence[Alert]) -> None:
        """Let alerts wait for their turn; skip what is done, or not wanted any more."""
        for alert in alerts:
            todo = self._ledger.todo(alert)
            if todo is Todo.SKIP:
                metrics.SKIPPED.labels("known").inc()
            elif not self._wanted(alert):
                metrics.SKIPPED.labels("unwanted").inc()
            else:
                repeat = todo is Todo.SEND_AS_REPEAT
                overflow = self._chat(alert.chat_id).put(alert, possible_repeat=repeat)
                if overflow is not None:
                    await self._give_up(overflow, "too many alerts wait for this chat")

    def stop(self) -> None:
        """Leave off at once; what waits is found again by the next start."""
        for chat in self._chats.values():
            chat.task.cancel()

    def _chat(self, chat_id: int) -> "_Chat":
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _Chat()
            chat.task = self._group.create_task(self._deliver(chat, chat_id))
        return chat

    async def _deliver(self, chat: "_Chat", chat_id: int) -> None:
        failures = 0
        while True:
            await chat.filled.wait()
            await chat.gathered(self._clock)
            try:
                await self._sender.turn(chat_id)
                await self._deliver_next(chat, chat_id)
                failures = 0
            except (NotSent, MaybeSent) as e:
                failures += 1
                wait_s = e.retry_after_s or _BACKOFF.delay(failures)
                _log.warning("telegram_not_reached", why=str(e), again_in_s=round(wait_s, 1))
                await asyncio.sleep(wait_s)

    async def _deliver_next(self, chat: "_Chat", chat_id: int) -> None:
        letter = chat.waiting.next(self._clock.now_ms())
        if letter is None:
            return
        unwanted = [alert for alert in letter.alerts if not self._wanted(alert)]
        if unwanted:
            metrics.SKIPPED.labels("unwanted").inc(len(unwanted))
            chat.remove(unwanted)
        else:
            await self._attempt(chat, chat_id, letter)

    async def _attempt(self, chat: "_Chat", chat_id: int, letter: Letter) -> None:
        await self._record(letter, "SENDING")
        try:
            message_id = await self._sender.send(chat_id, _text(letter), quiet=letter.quiet)
        except MaybeSent as e:
            await self._record(letter, "UNKNOWN", error=str(e))
            chat.note_unanswered(letter, self._ledger)
            raise
        except Undeliverable as e:
            _log.error("delivery_failed", why=str(e), alerts=[a.event_id for a in letter.alerts])
            await self._record(letter, "FAILED", error=str(e))
        else:
            await self._record(letter, "SENT", message_id=message_id)
        chat.done(letter, self._clock.monotonic())

    async def _give_up(self, alert: Alert, why: str) -> None:
        _log.error("delivery_failed", why=why, alerts=[alert.event_id])
        given_up = Letter(alerts=(alert,), possible_repeat=False, history=False, quiet=True)
        await self._record(given_up, "FAILED", error=why)

    async def _record(
        self,
        letter: Letter,
        state: DeliveryState,
        *,
        message_id: int | None = None,
        error: str | None = None,
    ) -> None:
        now_ms = self._clock.now_ms()
        for alert in letter.alerts:
            row = self._ledger.entry(
                alert,
                state,
                now_ms,
                possible_repeat=letter.possible_repeat,
                message_id=message_id,
                error=error,
            )
            await self._publisher.send(DELIVERIES, row)
            self._ledger.apply(row)
            if row.latency_ms is not None and not letter.history:
                metrics.LATENCY.observe(row.latency_ms / 1000)
        metrics.DELIVERIES.labels(state).inc(len(letter.alerts))


class _Chat:
    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.waiting = Waiting()
        self.filled = asyncio.Event()
        self._more = asyncio.Event()

    async def gathered(self, clock: Clock) -> None:
        """Wait until what waits may go."""
        while wait_s := self.waiting.wait_s(clock.monotonic()):
            self._more.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._more.wait()

    def put(self, alert: Alert, *, possible_repeat: bool) -> Alert | None:
        self.filled.set()
        self._more.set()
        return self.waiting.put(alert, possible_repeat=possible_repeat)

    def note_unanswered(self, letter: Letter, ledger: Ledger) -> None:
        self.waiting.mark(letter)
        given_up = [alert for alert in letter.alerts if ledger.todo(alert) is Todo.SKIP]
        for alert in given_up:
            _log.error("delivery_unknown", alert=alert.event_id, tries=UNANSWERED_LIMIT)
        self.remove(given_up)

    def done(self, letter: Letter, now_s: float) -> None:
        self.waiting.done(letter, now_s)
        self._note_empty()

    def remove(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self.waiting.remove(alert)
        self._note_empty()

    def _note_empty(self) -> None:
        if not self.waiting:
            self.filled.clear()


def _text(letter: Letter) -> str:
    repeat = letter.possible_repeat
    if letter.history:
        return markup.message(messages.digest(letter.alerts, possible_repeat=repeat))
    if len(letter.alerts) > 1:
        return markup.message(messages.bulletin(letter.alerts, possible_repeat=repeat))
    return markup.message(messages.alert(letter.alerts[0], possible_repeat=repeat))
