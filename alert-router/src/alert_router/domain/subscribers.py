"""Which chats want a signal."""

from typing import Final

from foreshock_schemas.events import Severity, Signal, Subscription
from foreshock_schemas.topics import MARKET

RANK: Final[dict[Severity, int]] = {"info": 0, "warning": 1, "critical": 2}


class Subscribers:
    """The newest settings of every chat."""

    def __init__(self) -> None:
        self._chats: dict[int, Subscription] = {}

    def apply(self, subscription: Subscription) -> None:
        """Take a chat's settings as they stand now."""
        self._chats[subscription.chat_id] = subscription

    def wanting(self, signal: Signal) -> list[int]:
        """Return the chats to tell, lowest id first."""
        return sorted(chat for chat, wish in self._chats.items() if _wants(wish, signal))


def _wants(wish: Subscription, signal: Signal) -> bool:
    return (
        wish.active
        and signal.kind not in wish.muted_kinds
        and RANK[signal.severity] >= RANK[wish.minimum_severity]
        and (not wish.coins or signal.coin in wish.coins or signal.coin == MARKET)
    )
