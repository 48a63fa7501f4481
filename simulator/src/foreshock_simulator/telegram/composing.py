"""What a call wants to say: formatted text, caption, buttons, picture, reply."""

from typing import Final

import msgspec

from foreshock_simulator.telegram.chats import TEXT_LIMIT, Telegram
from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.markup import parse_html, plain, units, with_commands
from foreshock_simulator.telegram.menu import scope_key
from foreshock_simulator.telegram.model import (
    Button,
    Entity,
    Formatted,
    Keyboard,
    Markup,
    Photo,
)
from foreshock_simulator.telegram.requests import Call

CAPTION_LIMIT: Final = 1_024
_DATA_LIMIT_BYTES: Final = 64
_BUTTONS_LIMIT: Final = 100


class _Scope(msgspec.Struct, frozen=True, gc=False):
    type: str = "default"
    chat_id: int | None = None


class _Reply(msgspec.Struct, frozen=True, gc=False):
    message_id: int
    allow_sending_without_reply: bool = False


def text_of(call: Call) -> Formatted:
    """Return the text of a message.

    Raises:
        Refused: Its markup is broken, or it is empty or too long without the markup.
    """
    if not call.text("text"):
        raise Refused.bad_request("message text is empty")
    content = _formatted(call, "text", "entities")
    if not content.text:
        raise Refused.bad_request("text must be non-empty")
    if len(content.text) > TEXT_LIMIT:
        raise Refused.bad_request("message is too long")
    return content


def caption_of(call: Call) -> Formatted:
    """Return the caption of a picture, which may be empty.

    Raises:
        Refused: Its markup is broken, or it is too long without the markup.
    """
    content = _formatted(call, "caption", "caption_entities")
    if len(content.text) > CAPTION_LIMIT:
        raise Refused.bad_request("message caption is too long")
    return content


def keyboard_of(call: Call) -> Keyboard:
    """Return the rows of buttons.

    Raises:
        Refused: A button is empty, does nothing, or carries more than 64 bytes of data.
    """
    markup = call.decoded("reply_markup", Markup, "reply keyboard markup")
    rows = markup.inline_keyboard if markup else ()
    if sum(map(len, rows)) > _BUTTONS_LIMIT:
        raise Refused.bad_request("REPLY_MARKUP_TOO_LONG")
    for row in rows:
        for button in row:
            _check(button)
    return tuple(row for row in rows if row)


def photo_of(telegram: Telegram, call: Call) -> Photo:
    """Return the picture, uploaded with the call or before.

    Raises:
        Refused: It is missing, or no picture.
    """
    name = call.text("photo")
    upload = call.files.get(name.removeprefix("attach://") or "photo") or call.files.get("photo")
    if upload:
        return telegram.photos.put(upload)
    if not name:
        raise Refused.bad_request("there is no photo in the request")
    known = telegram.photos.known(name)
    if known is None:
        raise Refused.bad_request("wrong file identifier/HTTP URL specified")
    return known


def reply_of(telegram: Telegram, call: Call, chat_id: int) -> int | None:
    """Return the id of the message that is replied to.

    Raises:
        Refused: The parameter cannot be read.
    """
    reply = call.decoded("reply_parameters", _Reply, "reply parameters")
    message_id = reply.message_id if reply else call.integer("reply_to_message_id") or None
    tolerant = reply is not None and reply.allow_sending_without_reply
    if tolerant and telegram.message(chat_id, message_id or 0) is None:
        return None
    return message_id


def scope_of(call: Call) -> str:
    """Return the scope of a command list.

    Raises:
        Refused: The parameter cannot be read.
    """
    scope = call.decoded("scope", _Scope, "BotCommandScope") or _Scope()
    return scope_key(scope.type, scope.chat_id)


def _formatted(call: Call, name: str, entities_name: str) -> Formatted:
    text = call.text(name)
    match call.text("parse_mode").lower():
        case "html":
            return with_commands(parse_html(text))
        case "":
            given = call.decoded(entities_name, tuple[Entity, ...], "entities") or ()
            if not given:
                return with_commands(plain(text))
            kept = tuple(e for e in given if 0 <= e.offset < e.offset + e.length <= units(text))
            return with_commands(Formatted(text=text, entities=kept))
        case _:
            raise Refused.bad_request("unsupported parse_mode")


def _check(button: Button) -> None:
    if not button.text:
        raise Refused.bad_request("text buttons must be non-empty")
    data = button.callback_data
    if data is None and button.url is None and button.copy_text is None:
        raise Refused.bad_request("text buttons are unallowed in the inline keyboard")
    if data is not None and not 1 <= len(data.encode()) <= _DATA_LIMIT_BYTES:
        raise Refused.bad_request("BUTTON_DATA_INVALID")
    if button.url is not None and not button.url.startswith(("http://", "https://", "tg://")):
        raise Refused.bad_request("BUTTON_URL_INVALID")
