"""Which chats want to hear of something."""

from typing import Final

from foreshock_schemas.events import Severity, SignalKind, Subscription
from foreshock_schemas.topics import MARKET

RANK: Final[dict[Severity, int]] = {"info": 0, "warning": 1, "critical": 2}


class Subscribers:
    """The newest settings of every chat."""

    def __init__(self) -> None:
        self._chats: dict[int, Subscription] = {}

    def apply(self, subscription: Subscription) -> None:
        """Take a chat's settings as they stand now."""
        self._chats[subscription.chat_id] = subscription

    def wanting(self, coin: str, kind: SignalKind, severity: Severity) -> list[int]:
        """Return the chats to tell, lowest id first."""
        return sorted(
            chat for chat, wish in self._chats.items() if _wants(wish, coin, kind, severity)
        )


def _wants(wish: Subscription, coin: str, kind: SignalKind, severity: Severity) -> bool:
    return (
        wish.active
        and kind not in wish.muted_kinds
        and RANK[severity] >= RANK[wish.minimum_severity]
        and (not wish.coins or coin in wish.coins or coin == MARKET)
    )
