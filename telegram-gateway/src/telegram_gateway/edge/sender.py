"""One message to Telegram: paced, tried once, and its failure named by what can be done about it.

sendMessage is not idempotent, so the one thing that counts after a failure is whether the
request may have arrived. python-telegram-bot does not say: `TimedOut` and `BadRequest` are both
`NetworkError`s to it; the cause beneath does.
"""

import asyncio
import re
from contextlib import suppress
from html import unescape
from typing import Final

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from foreshock_kit.clock import Clock
from foreshock_kit.errors import Permanent, Transient
from telegram_gateway import metrics
from telegram_gateway.domain.answering import Rows
from telegram_gateway.domain.pacing import Pacing

_PATIENCE_S: Final = 5.0
_NEVER_SENT: Final = (httpx.PoolTimeout, httpx.ConnectTimeout, httpx.ConnectError)
_TAG: Final = re.compile(r"</?[a-z]+( [a-z]+)?>")
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class NotSent(Transient):
    """Telegram has not taken the message; try again."""


class MaybeSent(Transient):
    """No answer came: the message may be there."""


class Undeliverable(Permanent):
    """Telegram will never take this message for this chat."""


class TokenRefused(Permanent):
    """Telegram does not know the bot: nothing can be sent at all."""

    def __init__(self) -> None:
        super().__init__("Telegram does not know TELEGRAM_BOT_TOKEN; ask @BotFather")


class Sender:
    """Sends and edits. Whoever wants to asks for its `turn` first."""

    def __init__(self, bot: Bot, clock: Clock) -> None:
        self._bot = bot
        self._clock = clock
        self._pacing = Pacing()
        self._ending = asyncio.Event()

    async def turn(self, chat_id: int, patience_s: float = _PATIENCE_S) -> None:
        """Wait until Telegram's limits allow one more request for a chat, and use that up.

        Raises:
            NotSent: that is further away than `patience_s`.
        """
        while wait_s := self._pacing.take(chat_id, self._clock.monotonic()):
            if wait_s > patience_s or self._ending.is_set():
                raise NotSent(f"Telegram takes no message for {wait_s:.1f} s", wait_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ending.wait()

    def wait_no_more(self) -> None:
        """From now on let nobody wait for a turn: the end is near."""
        self._ending.set()

    async def send(self, chat_id: int, text: str, rows: Rows = (), *, quiet: bool = False) -> int:
        """Send finished markup, once, and return its message id.

        What Telegram cannot parse goes out again as plain text. `rows` are the buttons
        beneath; a `quiet` message makes no sound.

        Raises:
            NotSent: it is safe to try again, after `retry_after_s` if that is given.
            MaybeSent: trying again may repeat it.
            Undeliverable: trying again is of no use.
            TokenRefused: nothing can be sent any more.
        """
        try:
            try:
                return await self._send(chat_id, text, rows, ParseMode.HTML, quiet)
            except BadRequest as e:
                if "can't parse entities" not in e.message.lower():  # the library capitalises
                    raise
                metrics.TELEGRAM_ERRORS.labels("markup").inc()
                return await self._send(chat_id, _without_markup(text), rows, None, quiet)
        except TelegramError as e:
            raise self._named(e, chat_id) from None

    async def edit(self, chat_id: int, message_id: int, text: str, rows: Rows) -> None:
        """Put another text into a message; that it says so already is no error.

        Raises:
            NotSent, MaybeSent, Undeliverable, TokenRefused: as `send`.
        """
        try:
            await self._bot.edit_message_text(
                text,
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(rows),
                link_preview_options=_NO_PREVIEW,
            )
        except TelegramError as e:
            if isinstance(e, BadRequest) and "not modified" in e.message:
                return
            raise self._named(e, chat_id) from None

    async def _send(
        self,
        chat_id: int,
        text: str,
        rows: Rows,
        parse_mode: ParseMode | None,
        quiet: bool,
    ) -> int:
        sent = await self._bot.send_message(
            chat_id,
            text,
            parse_mode=parse_mode,
            reply_markup=_keyboard(rows),
            link_preview_options=_NO_PREVIEW,
            disable_notification=quiet,
        )
        return sent.message_id

    def _named(self, error: TelegramError, chat_id: int) -> Transient | Permanent:
        found = self._classified(error, chat_id)
        metrics.TELEGRAM_ERRORS.labels(type(found).__name__).inc()
        return found

    def _classified(self, error: TelegramError, chat_id: int) -> Transient | Permanent:
        if isinstance(error, RetryAfter):
            wait_s = _seconds(error)
            self._pacing.freeze(chat_id, self._clock.monotonic() + wait_s)
            return NotSent("Telegram answered 429", wait_s)
        if isinstance(error, InvalidToken):
            return TokenRefused()
        if isinstance(error, BadRequest | Forbidden | ChatMigrated):
            return Undeliverable(f"{type(error).__name__}: {error.message}")
        if isinstance(error, NetworkError) and isinstance(error.__cause__, _NEVER_SENT):
            return NotSent(f"Telegram is not reached: {type(error.__cause__).__name__}")
        return MaybeSent(f"no answer from Telegram: {type(error.__cause__ or error).__name__}")


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in rows]
    )


def _without_markup(text: str) -> str:
    return unescape(_TAG.sub("", text))


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after if isinstance(after, int) else after.total_seconds()
