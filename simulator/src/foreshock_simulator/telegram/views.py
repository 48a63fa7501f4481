"""What the chat page and tools see of the state."""

from typing import Final

import msgspec

from foreshock_simulator.telegram.chats import Telegram
from foreshock_simulator.telegram.model import Change, Message

_PAGE_HISTORY: Final = 300
_SNIPPET: Final = 90


def config(telegram: Telegram, chat_id: int) -> dict[str, object]:
    """Return who talks with whom, and what the command menu holds."""
    user = telegram.user(chat_id)
    return {
        "chat_id": chat_id,
        "user": user.first_name if user else "",
        "bot": telegram.bot.first_name,
        "bot_username": telegram.bot.username,
        "about": telegram.menu.short_description,
        "description": telegram.menu.description,
        "commands": msgspec.to_builtins(telegram.menu.of_chat(chat_id)),
    }


def inbox(telegram: Telegram, chat_id: int) -> list[dict[str, object]]:
    """Return the bot's messages, oldest first, without markup."""
    return [
        {"message_id": m.message_id, "ts_ms": m.ts_ms, "text": m.content.text, "edits": m.edits}
        for m in telegram.messages(chat_id)
        if m.from_bot
    ]


def snapshot(telegram: Telegram, chat_id: int) -> dict[str, object]:
    """Return all that a page needs to draw a chat from nothing."""
    messages = telegram.messages(chat_id, _PAGE_HISTORY)
    return {
        "config": config(telegram, chat_id),
        "messages": [bubble(telegram, message) for message in messages],
    }


def event(telegram: Telegram, change: Change, chat_id: int) -> object:
    """Return what a page is told of a change."""
    if isinstance(change.data, Message):
        return bubble(telegram, change.data)
    return config(telegram, chat_id) if change.kind == "menu" else change.data


def bubble(telegram: Telegram, message: Message) -> dict[str, object]:
    """Return a message as the page draws it."""
    return {
        "message_id": message.message_id,
        "from_bot": message.from_bot,
        "ts_ms": message.ts_ms,
        "text": message.content.text,
        "entities": msgspec.to_builtins(message.content.entities),
        "keyboard": msgspec.to_builtins(message.keyboard),
        "photo": msgspec.to_builtins(message.photo),
        "reply": _reply(telegram, message),
        "silent": message.silent,
        "edits": message.edits,
    }


def _reply(telegram: Telegram, message: Message) -> dict[str, object] | None:
    if message.reply_to_message_id is None:
        return None
    found = telegram.message(message.chat_id, message.reply_to_message_id)
    if found is None:
        return {"message_id": message.reply_to_message_id, "from_bot": True, "text": "…"}
    text = found.content.text or "Photo"
    snippet = text if len(text) <= _SNIPPET else text[:_SNIPPET] + "…"
    return {"message_id": found.message_id, "from_bot": found.from_bot, "text": snippet}
