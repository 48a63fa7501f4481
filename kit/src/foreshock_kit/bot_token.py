"""What a Telegram bot's token looks like: a mangled one is found before Telegram is asked."""

import re
from typing import Final

from foreshock_kit.environment import Secret

_SHAPE: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]{30,}")


def token_problem(token: Secret) -> str | None:
    """Return what is wrong with a token's shape, without any of it; None if nothing is.

    Telegram names no length; its own example has 34 characters after the colon:
    https://core.telegram.org/bots/api#authorizing-your-bot
    """
    if _SHAPE.fullmatch(token.reveal()):
        return None
    return (
        "TELEGRAM_BOT_TOKEN is wrong: it is no token, which is digits, a colon and 30 or more "
        "letters, digits, _ or -; copy it from @BotFather again"
    )
