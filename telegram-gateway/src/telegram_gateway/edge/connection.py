"""The connection to Telegram: made, held while the service lives, and watched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from telegram import BotCommand, Update
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder

from foreshock_kit.backoff import Backoff
from foreshock_kit.environment import Secret
from foreshock_kit.logs import get_logger
from telegram_gateway import metrics
from telegram_gateway.domain import texts
from telegram_gateway.edge.sender import TokenRefused

_BACKOFF: Final = Backoff(first_s=0.5, longest_s=30.0)
_POLL_S: Final = 30
_ASK_EVERY_S: Final = 60.0

_log = get_logger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]


def application(token: Secret, api_url: str, timeout_s: float) -> App:
    """Return an application of python-telegram-bot that speaks to `api_url`.

    Each answer may take `timeout_s`, one to a request for updates that much beyond its wait.
    """
    return (
        ApplicationBuilder()
        .token(token.reveal())
        .base_url(f"{api_url}/bot")
        .base_file_url(f"{api_url}/file/bot")
        .read_timeout(timeout_s)
        .get_updates_read_timeout(timeout_s)
        .job_queue(None)
        .build()
    )


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[None]:
    """Hold the conversation with Telegram: updates come in until the block is left.

    An unreachable Telegram is asked again until it answers.

    Raises:
        TokenRefused: the token is wrong.
    """
    try:
        await _connect(app)
        await app.start()
        await _polling(app)
        yield
    finally:
        if app.updater is not None and app.updater.running:
            await app.updater.stop()
        if app.running:
            await app.stop()
        await app.shutdown()
        await app.bot.shutdown()


async def _connect(app: App) -> None:
    failures = 0
    while True:
        try:
            await app.initialize()
            await app.bot.set_my_commands([BotCommand(*each) for each in texts.COMMANDS.items()])
        except InvalidToken:
            raise TokenRefused from None
        except TelegramError as e:
            failures += 1
            _log.warning("telegram_unreachable", why=e.message, tries=failures)
            await asyncio.sleep(_BACKOFF.delay(failures))
        else:
            return


async def _polling(app: App) -> None:
    if app.updater is None:
        raise AssertionError("an application without an updater")
    await app.updater.start_polling(
        timeout=_POLL_S,
        bootstrap_retries=-1,
        allowed_updates=[Update.MESSAGE, Update.CALLBACK_QUERY],
        error_callback=_on_poll_error,
    )


async def stay_known(app: App) -> NoReturn:
    """Ask Telegram every minute whether it still knows us: polling ends silently if it does not.

    Raises:
        TokenRefused: it does not.
    """
    while True:
        await asyncio.sleep(_ASK_EVERY_S)
        try:
            await app.bot.get_me()
        except InvalidToken:
            raise TokenRefused from None
        except TelegramError as e:
            _log.warning("telegram_unreachable", why=e.message)


def _on_poll_error(error: TelegramError) -> None:
    metrics.POLL_ERRORS.inc()
    hint = "another program polls with the same token" if isinstance(error, Conflict) else ""
    _log.warning("telegram_poll_failed", why=error.message, hint=hint)
