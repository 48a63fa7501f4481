"""Answers to what people type: which command, which coin, and what is said to it."""

from collections.abc import Sequence
from typing import Final

from foreshock_schemas.names import is_coin
from telegram_gateway.domain import answers, coins, liquidated, texts
from telegram_gateway.domain.answering import Answer
from telegram_gateway.domain.views import Views

MARKET_COMMANDS: Final = tuple(answers.COMMANDS)


class Desk:
    """Answers the market commands, and whatever is no command, from the views."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def market(self, command: str, words: Sequence[str], now_ms: int) -> Answer:
        """Answer one of `MARKET_COMMANDS`; only the first word counts as the coin."""
        if not words:
            if command == "liquidations":
                return Answer(liquidated.of_all(self._views, now_ms), command)
            return Answer(texts.which_coin(command, self._known()))
        coin = coins.canonical(words[0])
        known = self._known()
        if coin not in known:
            near = coins.nearest(coin, known)
            if not is_coin(coin):
                return Answer(texts.no_coin(words[0], near))
            return Answer(texts.unknown_coin(words[0], near, known))
        blocks = answers.COMMANDS[command](coin, self._views.coin(coin), now_ms)
        return Answer(blocks, f"{command} {coin}")

    def refreshed(self, asked: str, now_ms: int) -> Answer:
        """Answer what a button asks for."""
        command, *words = asked.split() or [""]
        if command not in MARKET_COMMANDS:
            return self.unknown(f"/{command}")
        return self.market(command, words, now_ms)

    def help(self) -> Answer:
        """Answer /help."""
        return Answer(texts.help_text(self._known()))

    def unknown(self, text: str) -> Answer:
        """Answer a command that there is not, or plain talk."""
        word = text.split()[0].split("@")[0] if text.startswith("/") and text.strip("/ ") else ""
        name = word.removeprefix("/").lower()
        return Answer(texts.unknown_command(name, coins.nearest(name, texts.COMMANDS)))

    def _known(self) -> list[str]:
        return self._views.followed()
