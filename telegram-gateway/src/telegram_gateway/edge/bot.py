"""The bot: who may use it, and which words it answers."""

from typing import Final

from telegram import CallbackQuery, Update
from telegram.error import TelegramError
from telegram.ext import (
    ApplicationHandlerStop,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError
from foreshock_kit.logs import get_logger
from telegram_gateway import metrics
from telegram_gateway.domain import markup, texts
from telegram_gateway.domain.access import Access
from telegram_gateway.domain.answering import Answer
from telegram_gateway.domain.desk import MARKET_COMMANDS, Desk
from telegram_gateway.edge.connection import App
from telegram_gateway.edge.monitoring import Monitoring
from telegram_gateway.edge.replies import Replies
from telegram_gateway.edge.sender import NotSent, Sender

_BEFORE_ALL: Final = -1

_log = get_logger(__name__)

Callback = ContextTypes.DEFAULT_TYPE


class Bot:
    """Answers commands: the market's from the desk, /alerts from monitoring."""

    def __init__(
        self,
        desk: Desk,
        monitoring: Monitoring,
        access: Access,
        sender: Sender,
        replies: Replies,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._monitoring = monitoring
        self._access = access
        self._sender = sender
        self._replies = replies
        self._clock = clock

    def attach(self, app: App) -> None:
        """Register for everything that people can do."""
        app.add_handler(TypeHandler(Update, self._admit), group=_BEFORE_ALL)
        app.add_handler(CommandHandler(MARKET_COMMANDS, self._on_market))
        app.add_handler(CommandHandler("alerts", self._on_alerts))
        app.add_handler(CommandHandler("start", self._on_start))
        app.add_handler(CommandHandler("help", self._on_help))
        app.add_handler(CallbackQueryHandler(self._on_button))
        app.add_handler(MessageHandler(filters.ALL, self._on_anything))
        app.add_error_handler(_on_bug)

    async def _admit(self, update: Update, _: Callback) -> None:
        user, chat = update.effective_user, update.effective_chat
        if user and chat and self._access.allowed(user.id, chat.id):
            return
        metrics.REFUSALS.inc()
        if user and chat and self._access.should_refuse(user.id, self._clock.monotonic()):
            _log.warning("stranger_refused", user=user.id, chat=chat.id)
            await self._replies.say(chat.id, Answer(texts.refusal()))
        raise ApplicationHandlerStop

    async def _on_market(self, update: Update, callback: Callback) -> None:
        command = _command(update)
        metrics.COMMANDS.labels(command).inc()
        answer = self._desk.market(command, callback.args or (), self._clock.now_ms())
        await self._reply(update, answer)

    async def _on_alerts(self, update: Update, callback: Callback) -> None:
        metrics.COMMANDS.labels("alerts").inc()
        chat = update.effective_chat
        if chat is not None:
            words = callback.args or ("status",)
            await self._reply(update, await self._monitoring.answer(chat.id, words))

    async def _on_start(self, update: Update, _: Callback) -> None:
        metrics.COMMANDS.labels("start").inc()
        user = update.effective_user
        await self._reply(update, Answer(texts.greeting(user.first_name if user else "")))

    async def _on_help(self, update: Update, _: Callback) -> None:
        metrics.COMMANDS.labels("help").inc()
        await self._reply(update, self._desk.help())

    async def _on_anything(self, update: Update, callback: Callback) -> None:
        text = (update.effective_message and update.effective_message.text) or ""
        if _for_another_bot(text, callback.bot.username):
            return
        metrics.COMMANDS.labels("unknown").inc()
        await self._reply(update, self._desk.unknown(text))

    async def _on_button(self, update: Update, _: Callback) -> None:
        query = update.callback_query
        if query is None or query.message is None:
            return
        chat_id, message_id = query.message.chat.id, query.message.message_id
        answer = await self._pressed(chat_id, query.data or "")
        told = None
        try:
            await self._sender.turn(chat_id, patience_s=0)
            await self._sender.edit(chat_id, message_id, markup.message(answer.blocks), answer.rows)
        except NotSent:
            told = "One moment please: this chat is too busy."
        except ForeshockError as e:
            _log.warning("refresh_failed", why=str(e))
        await _acknowledge(query, told)

    async def _pressed(self, chat_id: int, data: str) -> Answer:
        command, *words = data.split() or [""]
        if command == "alerts" and words:
            metrics.COMMANDS.labels("alerts").inc()
            return await self._monitoring.answer(chat_id, words)
        metrics.COMMANDS.labels("refresh").inc()
        return self._desk.refreshed(data, self._clock.now_ms())

    async def _reply(self, update: Update, answer: Answer) -> None:
        if update.effective_chat is not None:
            await self._replies.say(update.effective_chat.id, answer)


def _for_another_bot(text: str, username: str) -> bool:
    """Return whether a command is addressed to somebody else, as `/help@other_bot` is."""
    name = text.split()[0].partition("@")[2] if text.startswith("/") else ""
    return name.lower() not in {"", username.lower()}


def _command(update: Update) -> str:
    text = (update.effective_message and update.effective_message.text) or "/"
    return text.split()[0].removeprefix("/").split("@")[0].lower()


async def _acknowledge(query: CallbackQuery, text: str | None) -> None:
    try:
        await query.answer(text)
    except TelegramError as e:
        _log.warning("button_unanswered", why=e.message)


async def _on_bug(_: object, callback: Callback) -> None:
    _log.error("answer_crashed", exc_info=callback.error)
