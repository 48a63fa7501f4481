"""The command menu per scope, and what the bot says of itself before the first message."""

from typing import Final

from foreshock_simulator.telegram.model import Command

_DEFAULT: Final = "default"
_PRIVATE: Final = "all_private_chats"


class Menu:
    """Commands by scope, as https://core.telegram.org/bots/api#determining-list-of-commands."""

    def __init__(self) -> None:
        self.description = ""
        self.short_description = ""
        self._commands: dict[str, tuple[Command, ...]] = {}

    def set(self, scope: str, commands: tuple[Command, ...]) -> None:
        """Replace the commands of a scope; none removes them."""
        if commands:
            self._commands[scope] = commands
        else:
            self._commands.pop(scope, None)

    def of_scope(self, scope: str) -> tuple[Command, ...]:
        """Return what was set for exactly this scope."""
        return self._commands.get(scope, ())

    def of_chat(self, chat_id: int) -> tuple[Command, ...]:
        """Return what a private chat shows: its own, else all private chats', else the default."""
        for scope in (scope_key("chat", chat_id), _PRIVATE, _DEFAULT):
            if scope in self._commands:
                return self._commands[scope]
        return ()


def scope_key(kind: str, chat_id: int | None = None) -> str:
    """Return one name for a scope, with its chat if it has one."""
    return kind if chat_id is None else f"{kind}:{chat_id}"
