"""The fake as one thing: its state, its clock, who waits for it, and its end."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from foreshock_simulator.telegram.chats import Telegram
from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.faults import Faults
from foreshock_simulator.telegram.live import Feeds
from foreshock_simulator.telegram.model import BOT_ID, User
from foreshock_simulator.telegram.polling import Polling

_TOKEN: Final = re.compile(r"\d+:[A-Za-z0-9_-]+")
_BOT: Final = User(id=BOT_ID, first_name="Foreshock", username="foreshock_demo_bot", is_bot=True)


class Fake:
    """Everything that HTTP handlers share; `now_ms` is the fake's clock."""

    def __init__(
        self,
        *,
        chat_id: int,
        user_name: str,
        now_ms: Callable[[], int],
        token: str | None = None,
    ) -> None:
        self.chat_id = chat_id
        self.now_ms = now_ms
        self.feeds = Feeds()
        self.telegram = Telegram(_BOT, self.feeds.tell)
        self.polling = Polling(self.telegram.updates)
        self.faults = Faults()
        self.stopping = asyncio.Event()
        self._token = token
        self.telegram.enter(User(id=chat_id, first_name=user_name, username="demo_user"))

    def check_token(self, token: str) -> None:
        """Let a bot in.

        Raises:
            Refused: The token has not the form of one (404), or is not the configured one (401).
        """
        if not _TOKEN.fullmatch(token):
            raise Refused(404, "Not Found")
        if self._token is not None and token != self._token:
            raise Refused(401, "Unauthorized")

    def revoke_token(self) -> None:
        """Let no bot in any more."""
        self._token = ""

    def say(self, chat_id: int, text: str) -> int:
        """Type as a user, who enters if new; return the message's id.

        Raises:
            Refused: The text or the user is impossible.
        """
        guest = User(id=chat_id, first_name=f"Guest {chat_id}", username=f"guest_{chat_id}")
        self.telegram.enter(guest)
        message = self.telegram.say(chat_id, text, self.now_ms())
        self.polling.wake()
        return message.message_id

    def press(self, chat_id: int, message_id: int, data: str) -> str:
        """Press a button as the user; return the callback query's id.

        Raises:
            Refused: There is no such button.
        """
        query_id = self.telegram.press(chat_id, message_id, data)
        self.polling.wake()
        return query_id

    def stop(self) -> None:
        """End whatever waits."""
        self.stopping.set()
        self.polling.stop()
        self.feeds.stop()
