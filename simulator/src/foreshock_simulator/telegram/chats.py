"""The state of the fake: who talks with the bot, and what was said; times come from outside."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec

from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.markup import plain, with_commands
from foreshock_simulator.telegram.menu import Menu
from foreshock_simulator.telegram.model import (
    BOT_ID,
    Change,
    Draft,
    Formatted,
    Keyboard,
    Message,
    User,
    message_wire,
)
from foreshock_simulator.telegram.photos import Photos
from foreshock_simulator.telegram.updates import Updates

HISTORY_LIMIT: Final = 1_000
CHATS_LIMIT: Final = 100
TEXT_LIMIT: Final = 4_096
_QUERIES_LIMIT: Final = 1_000
_NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


class _Chat:
    def __init__(self, user: User) -> None:
        self.user = user
        self.messages: OrderedDict[int, Message] = OrderedDict()

    def put(self, message: Message) -> None:
        self.messages[message.message_id] = message
        while len(self.messages) > HISTORY_LIMIT:
            self.messages.popitem(last=False)


class Telegram:
    """Chats between people and one bot, with everything that happened reported to `notify`."""

    def __init__(self, bot: User, notify: Callable[[Change], None]) -> None:
        self.bot = bot
        self.updates = Updates()
        self.photos = Photos()
        self.menu = Menu()
        self._notify = notify
        self._chats: dict[int, _Chat] = {}
        self._queries: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._last_message_id = 0
        self._last_query_id = 0

    def enter(self, user: User) -> None:
        """Open a private chat with `user`, if there is none yet.

        Raises:
            Refused: There are too many chats already.
        """
        if user.id in self._chats:
            return
        if len(self._chats) >= CHATS_LIMIT or user.id <= 0 or user.id == BOT_ID:
            raise Refused.bad_request("no such user, or too many chats")
        self._chats[user.id] = _Chat(user)

    def user(self, chat_id: int) -> User | None:
        """Return the person of a chat."""
        chat = self._chats.get(chat_id)
        return chat.user if chat else None

    def messages(self, chat_id: int, newest: int = HISTORY_LIMIT) -> list[Message]:
        """Return up to `newest` last messages of a chat, oldest first; none of an unknown one."""
        chat = self._chats.get(chat_id)
        kept = chat.messages.values() if chat else ()
        return list(islice(kept, max(0, len(kept) - newest), None))

    def message(self, chat_id: int, message_id: int) -> Message | None:
        """Return a message that is still kept."""
        chat = self._chats.get(chat_id)
        return chat.messages.get(message_id) if chat else None

    def wire(self, message: Message) -> dict[str, object]:
        """Return a message as the Bot API spells it."""
        chat = self._chat(message.chat_id)
        reply_to = chat.messages.get(message.reply_to_message_id or 0)
        return message_wire(message, self.bot, chat.user, reply_to)

    def send(self, chat_id: int, draft: Draft, now_ms: int) -> Message:
        """Let the bot say something.

        Raises:
            Refused: The chat, or the message replied to, does not exist.
        """
        chat = self._chat(chat_id)
        if draft.reply_to_message_id not in {None, *chat.messages}:
            raise Refused.bad_request("message to be replied not found")
        message = Message(
            message_id=self._new_message_id(),
            chat_id=chat_id,
            from_bot=True,
            ts_ms=now_ms,
            content=draft.content,
            keyboard=draft.keyboard,
            photo=draft.photo,
            reply_to_message_id=draft.reply_to_message_id,
            silent=draft.silent,
        )
        chat.put(message)
        self._tell("message", message)
        return message

    def edit(
        self,
        chat_id: int,
        message_id: int,
        change: Callable[[Message], tuple[Formatted, Keyboard]],
        now_ms: int,
    ) -> Message:
        """Replace content and buttons of a message of the bot by what `change` makes of it.

        Raises:
            Refused: There is no such message, it is not the bot's, or nothing would change.
        """
        chat = self._chat(chat_id)
        old = chat.messages.get(message_id)
        if old is None:
            raise Refused.bad_request("message to edit not found")
        if not old.from_bot:
            raise Refused.bad_request("message can't be edited")
        content, keyboard = change(old)
        if (content, keyboard) == (old.content, old.keyboard):
            raise Refused.bad_request(_NOT_MODIFIED)
        new = msgspec.structs.replace(
            old, content=content, keyboard=keyboard, edits=old.edits + 1, edit_ts_ms=now_ms
        )
        chat.put(new)
        self._tell("edited", new)
        return new

    def delete(self, chat_id: int, message_id: int) -> None:
        """Remove a message, of whichever side.

        Raises:
            Refused: There is no such message.
        """
        if self._chat(chat_id).messages.pop(message_id, None) is None:
            raise Refused.bad_request("message to delete not found")
        self._notify(Change(kind="deleted", chat_id=chat_id, data={"message_id": message_id}))

    def act(self, chat_id: int, action: str) -> None:
        """Show for a moment that the bot is busy."""
        self._chat(chat_id)
        self._notify(Change(kind="action", chat_id=chat_id, data={"action": action}))

    def say(self, chat_id: int, text: str, now_ms: int) -> Message:
        """Type `text` as the user of the chat, so that the bot gets an update.

        Raises:
            Refused: The text is empty or too long, or the chat does not exist.
        """
        chat = self._chat(chat_id)
        content = with_commands(plain(text))
        if not 0 < len(content.text) <= TEXT_LIMIT:
            raise Refused.bad_request(f"a text has 1 to {TEXT_LIMIT} characters")
        message = Message(
            message_id=self._new_message_id(),
            chat_id=chat_id,
            from_bot=False,
            ts_ms=now_ms,
            content=content,
        )
        chat.put(message)
        self._tell("message", message)
        self.updates.add("message", self.wire(message))
        return message

    def press(self, chat_id: int, message_id: int, data: str) -> str:
        """Press a button as the user of the chat; return the id of the callback query.

        Raises:
            Refused: There is no such button.
        """
        chat = self._chat(chat_id)
        message = chat.messages.get(message_id)
        buttons = [b.callback_data for row in message.keyboard for b in row] if message else []
        if message is None or data not in buttons:
            raise Refused.bad_request("no such button")
        self._last_query_id += 1
        query_id = str(self._last_query_id)
        self._queries[query_id] = (chat_id, message_id)
        while len(self._queries) > _QUERIES_LIMIT:
            self._queries.popitem(last=False)
        query = {
            "id": query_id,
            "from": chat.user.wire(),
            "message": self.wire(message),
            "chat_instance": str(chat_id),
            "data": data,
        }
        self.updates.add("callback_query", query)
        return query_id

    def answer(self, query_id: str, text: str, alert: bool) -> None:
        """Answer a pressed button, once.

        Raises:
            Refused: The query is unknown, or was answered before.
        """
        if query_id not in self._queries:
            raise Refused.bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        chat_id, message_id = self._queries.pop(query_id)
        data = {"query_id": query_id, "message_id": message_id, "text": text, "alert": alert}
        self._notify(Change(kind="answer", chat_id=chat_id, data=data))

    def changed_menu(self) -> None:
        """Tell every page that commands or descriptions are new."""
        self._notify(Change(kind="menu"))

    def _chat(self, chat_id: int) -> _Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            raise Refused.bad_request("chat not found")
        return chat

    def _new_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id

    def _tell(self, kind: str, message: Message) -> None:
        self._notify(Change(kind=kind, chat_id=message.chat_id, data=message))
