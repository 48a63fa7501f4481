"""What a chat holds, and how the Bot API spells it (https://core.telegram.org/bots/api#available-types)."""

from typing import Final

import msgspec

BOT_ID: Final = 7_000_000_001


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stretch of a text with a meaning; offset and length count UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    custom_emoji_id: str | None = None


class Formatted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A text without its markup, and what the markup said."""

    text: str
    entities: tuple[Entity, ...] = ()


class CopyText(msgspec.Struct, frozen=True, gc=False):
    """What a copy button puts on the clipboard."""

    text: str


class Button(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A button under a message: it calls back, opens a page or copies a text."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    copy_text: CopyText | None = None


Keyboard = tuple[tuple[Button, ...], ...]


class Markup(msgspec.Struct, frozen=True, gc=False):
    """A `reply_markup`; other kinds than inline keyboards are accepted and not shown."""

    inline_keyboard: Keyboard = ()


class Photo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stored picture by its id; its size is in pixels and in bytes."""

    file_id: str
    width: int
    height: int
    file_size: int


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message as it stands now, after `edits` edits."""

    message_id: int
    chat_id: int
    from_bot: bool
    ts_ms: int
    content: Formatted
    keyboard: Keyboard = ()
    photo: Photo | None = None
    reply_to_message_id: int | None = None
    silent: bool = False
    edits: int = 0
    edit_ts_ms: int | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an open chat page must be told; without a chat it concerns all."""

    kind: str
    chat_id: int | None = None
    data: object = None


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a bot wants to say."""

    content: Formatted
    keyboard: Keyboard = ()
    photo: Photo | None = None
    reply_to_message_id: int | None = None
    silent: bool = False


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person or the bot."""

    id: int
    first_name: str
    username: str
    is_bot: bool = False

    def wire(self) -> dict[str, object]:
        """Return the Bot API's `User`."""
        return msgspec.structs.asdict(self)


class Command(msgspec.Struct, frozen=True, gc=False):
    """A line of the command menu."""

    command: str
    description: str


def message_wire(
    message: Message, bot: User, user: User, reply_to: Message | None = None
) -> dict[str, object]:
    """Return the Bot API's `Message`, as bots receive it."""
    wire: dict[str, object] = {
        "message_id": message.message_id,
        "date": message.ts_ms // 1000,
        "chat": {
            "id": message.chat_id,
            "type": "private",
            "first_name": user.first_name,
            "username": user.username,
        },
        "from": (bot if message.from_bot else user).wire(),
    }
    if message.edit_ts_ms is not None:
        wire["edit_date"] = message.edit_ts_ms // 1000
    if message.keyboard:
        wire["reply_markup"] = msgspec.to_builtins({"inline_keyboard": message.keyboard})
    if reply_to is not None:
        wire["reply_to_message"] = message_wire(reply_to, bot, user)
    return wire | _content_wire(message)


def _content_wire(message: Message) -> dict[str, object]:
    content = message.content
    if message.photo is None:
        wire: dict[str, object] = {"text": content.text}
        if content.entities:
            wire["entities"] = msgspec.to_builtins(content.entities)
        return wire
    size = msgspec.structs.asdict(message.photo)
    wire = {"photo": [size | {"file_unique_id": message.photo.file_id}]}
    if content.text:
        wire["caption"] = content.text
    if content.entities:
        wire["caption_entities"] = msgspec.to_builtins(content.entities)
    return wire
