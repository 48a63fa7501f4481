"""Who may talk to the bot, and how often the others are told that they may not."""

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

_QUIET_S: Final = 60.0
_REMEMBERED: Final = 1_000


class Access:
    """Authorised are single users, by their own id, in their private chat with the bot."""

    def __init__(self, authorised: Collection[int]) -> None:
        self._authorised = frozenset(authorised)
        self._refused: OrderedDict[int, float] = OrderedDict()

    def allowed(self, user_id: int, chat_id: int) -> bool:
        """Whether this user may command the bot in this chat; a private chat has its user's id."""
        return user_id in self._authorised and chat_id == user_id

    def should_refuse(self, user_id: int, now_s: float) -> bool:
        """Whether to tell a stranger: at most once a minute."""
        told_s = self._refused.get(user_id)
        if told_s is not None and now_s < told_s + _QUIET_S:
            return False
        self._refused[user_id] = now_s
        self._refused.move_to_end(user_id)
        if len(self._refused) > _REMEMBERED:
            self._refused.popitem(last=False)
        return True
