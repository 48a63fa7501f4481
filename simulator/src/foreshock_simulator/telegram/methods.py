"""The Bot API's methods over the state (https://core.telegram.org/bots/api#available-methods)."""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from foreshock_simulator.telegram.chats import Telegram
from foreshock_simulator.telegram.composing import (
    caption_of,
    keyboard_of,
    photo_of,
    reply_of,
    scope_of,
    text_of,
)
from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.model import Command, Draft, Formatted, Keyboard, Message
from foreshock_simulator.telegram.requests import Call

ANSWER_LIMIT: Final = 200
_COMMANDS_LIMIT: Final = 100
_DESCRIPTION_LIMIT: Final = 512
_SHORT_DESCRIPTION_LIMIT: Final = 120
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")

Method = Callable[[Telegram, Call, int], object]


def _get_me(telegram: Telegram, _call: Call, _now_ms: int) -> object:
    return telegram.bot.wire() | {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def _send_message(telegram: Telegram, call: Call, now_ms: int) -> object:
    chat_id = call.chat_id()
    content = text_of(call)
    draft = Draft(
        content=content,
        keyboard=keyboard_of(call),
        reply_to_message_id=reply_of(telegram, call, chat_id),
        silent=call.flag("disable_notification"),
    )
    return telegram.wire(telegram.send(chat_id, draft, now_ms))


def _send_photo(telegram: Telegram, call: Call, now_ms: int) -> object:
    chat_id = call.chat_id()
    photo = photo_of(telegram, call)
    draft = Draft(
        content=caption_of(call),
        keyboard=keyboard_of(call),
        photo=photo,
        reply_to_message_id=reply_of(telegram, call, chat_id),
        silent=call.flag("disable_notification"),
    )
    return telegram.wire(telegram.send(chat_id, draft, now_ms))


def _edit_text(telegram: Telegram, call: Call, now_ms: int) -> object:
    content, keyboard = text_of(call), keyboard_of(call)

    def change(old: Message) -> tuple[Formatted, Keyboard]:
        if old.photo is not None:
            raise Refused.bad_request("there is no text in the message to edit")
        return content, keyboard

    edited = telegram.edit(call.chat_id(), call.integer("message_id"), change, now_ms)
    return telegram.wire(edited)


def _edit_caption(telegram: Telegram, call: Call, now_ms: int) -> object:
    content, keyboard = caption_of(call), keyboard_of(call)

    def change(old: Message) -> tuple[Formatted, Keyboard]:
        if old.photo is None:
            raise Refused.bad_request("there is no caption in the message to edit")
        return content, keyboard

    edited = telegram.edit(call.chat_id(), call.integer("message_id"), change, now_ms)
    return telegram.wire(edited)


def _edit_markup(telegram: Telegram, call: Call, now_ms: int) -> object:
    keyboard = keyboard_of(call)
    message_id = call.integer("message_id")
    edited = telegram.edit(call.chat_id(), message_id, lambda old: (old.content, keyboard), now_ms)
    return telegram.wire(edited)


def _delete_message(telegram: Telegram, call: Call, _now_ms: int) -> object:
    telegram.delete(call.chat_id(), call.integer("message_id"))
    return True


def _send_action(telegram: Telegram, call: Call, _now_ms: int) -> object:
    if not call.text("action"):
        raise Refused.bad_request("wrong parameter action in request")
    telegram.act(call.chat_id(), call.text("action"))
    return True


def _answer_query(telegram: Telegram, call: Call, _now_ms: int) -> object:
    if len(call.text("text")) > ANSWER_LIMIT:
        raise Refused.bad_request("MESSAGE_TOO_LONG")
    telegram.answer(call.text("callback_query_id"), call.text("text"), call.flag("show_alert"))
    return True


def _set_commands(telegram: Telegram, call: Call, _now_ms: int) -> object:
    commands = call.decoded("commands", tuple[Command, ...], "commands") or ()
    if len(commands) > _COMMANDS_LIMIT:
        raise Refused.bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command.command.removeprefix("/")):
            raise Refused.bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command.description) <= 256:
            raise Refused.bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    telegram.menu.set(scope_of(call), commands)
    telegram.changed_menu()
    return True


def _get_commands(telegram: Telegram, call: Call, _now_ms: int) -> object:
    return msgspec.to_builtins(telegram.menu.of_scope(scope_of(call)))


def _delete_commands(telegram: Telegram, call: Call, _now_ms: int) -> object:
    telegram.menu.set(scope_of(call), ())
    telegram.changed_menu()
    return True


def _set_description(telegram: Telegram, call: Call, _now_ms: int) -> object:
    if len(call.text("description")) > _DESCRIPTION_LIMIT:
        raise Refused.bad_request("description is too long")
    telegram.menu.description = call.text("description")
    telegram.changed_menu()
    return True


def _set_short_description(telegram: Telegram, call: Call, _now_ms: int) -> object:
    if len(call.text("short_description")) > _SHORT_DESCRIPTION_LIMIT:
        raise Refused.bad_request("short description is too long")
    telegram.menu.short_description = call.text("short_description")
    telegram.changed_menu()
    return True


def _delete_webhook(telegram: Telegram, call: Call, _now_ms: int) -> object:
    if call.flag("drop_pending_updates"):
        telegram.updates.clear()
    return True


def _webhook_info(telegram: Telegram, _call: Call, _now_ms: int) -> object:
    pending = len(telegram.updates)
    return {"url": "", "has_custom_certificate": False, "pending_update_count": pending}


def _accept(_telegram: Telegram, _call: Call, _now_ms: int) -> object:
    return True


METHODS: Final[dict[str, Method]] = {
    "getme": _get_me,
    "sendmessage": _send_message,
    "sendphoto": _send_photo,
    "editmessagetext": _edit_text,
    "editmessagecaption": _edit_caption,
    "editmessagereplymarkup": _edit_markup,
    "deletemessage": _delete_message,
    "sendchataction": _send_action,
    "answercallbackquery": _answer_query,
    "setmycommands": _set_commands,
    "getmycommands": _get_commands,
    "deletemycommands": _delete_commands,
    "setmydescription": _set_description,
    "setmyshortdescription": _set_short_description,
    "setchatmenubutton": _accept,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _webhook_info,
}


def perform(telegram: Telegram, call: Call, now_ms: int) -> object:
    """Carry out a call other than getUpdates and return its `result`.

    Raises:
        Refused: The Bot API would refuse it.
    """
    method = METHODS.get(call.method)
    if method is None:
        raise Refused(404, "Not Found: method not found")
    return method(telegram, call, now_ms)
