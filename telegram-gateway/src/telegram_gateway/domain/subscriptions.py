"""Who gets alerts: by themselves at first, and from then on as each says."""

from collections.abc import Iterable

import msgspec

from foreshock_schemas.events import Alert, SignalKind, Subscription
from foreshock_schemas.ids import derived_id


class Subscriptions:
    """Every chat's settings by the log's order, whatever clocks say.

    A manual stop is never overridden, and a choice of kinds neither starts nor stops anything.
    """

    def __init__(self) -> None:
        self._chats: dict[int, Subscription] = {}
        self._unread: dict[int, str] = {}  # by chat: what we wrote last, until it is read

    def wrote(self, subscription: Subscription) -> None:
        """Take a chat's settings that the log has just taken from us."""
        chat_id, known = subscription.chat_id, self._chats.get(subscription.chat_id)
        if known is None or known.event_id != subscription.event_id:
            self._chats[chat_id] = subscription
            self._unread[chat_id] = subscription.event_id

    def apply(self, subscription: Subscription) -> None:
        """Take the log's next record; what stands before our own last word changes nothing."""
        chat_id = subscription.chat_id
        if self._unread.get(chat_id, subscription.event_id) == subscription.event_id:
            self._unread.pop(chat_id, None)
            self._chats[chat_id] = subscription

    def of(self, chat_id: int) -> Subscription | None:
        """Return a chat's settings; `None` if it never had any."""
        return self._chats.get(chat_id)

    def active(self, chat_id: int) -> bool:
        """Return whether a chat gets alerts."""
        found = self._chats.get(chat_id)
        return found is not None and found.active

    def wants(self, alert: Alert) -> bool:
        """Return whether an alert's chat is on, was when the alert arose, and wants its kind."""
        found = self._chats.get(alert.chat_id)
        return (
            found is not None
            and found.active
            and alert.ts_recv_ms >= found.ts_event_ms
            and alert.kind not in found.muted_kinds
        )

    def muted(self, chat_id: int) -> tuple[SignalKind, ...]:
        """Return the kinds that a chat does not want."""
        found = self._chats.get(chat_id)
        return found.muted_kinds if found else ()

    def auto_start(self, authorised: Iterable[int], now_ms: int) -> list[Subscription]:
        """Return the settings to write at start: of users who never said start or stop."""
        return [
            msgspec.structs.replace(
                _settings(chat_id, now_ms, active=True, changed_by="auto_start", announced=False),
                muted_kinds=self.muted(chat_id),
            )
            for chat_id in authorised
            if (found := self._chats.get(chat_id)) is None or never_started(found)
        ]

    def to_announce(self, authorised: Iterable[int]) -> list[Subscription]:
        """Return the settings of those who have not been told that monitoring started."""
        found = (self._chats.get(chat_id) for chat_id in authorised)
        return [
            each
            for each in found
            if each and each.active and each.changed_by == "auto_start" and not each.announced
        ]

    def announced(self, subscription: Subscription, now_ms: int) -> Subscription:
        """Return the settings of somebody who has now been told."""
        return msgspec.structs.replace(
            subscription,
            event_id=derived_id("subscription", subscription.chat_id, "announced", now_ms),
            ts_recv_ms=now_ms,
            announced=True,
        )

    def switch(self, chat_id: int, *, active: bool, now_ms: int) -> Subscription:
        """Return the settings after a user's own word; said again, it keeps its time."""
        before = self._chats.get(chat_id)
        after = _settings(chat_id, now_ms, active=active, changed_by="user", announced=True)
        if before is None:
            return after
        return msgspec.structs.replace(
            after,
            ts_event_ms=min(before.ts_event_ms, now_ms) if before.active == active else now_ms,
            minimum_severity=before.minimum_severity,
            coins=before.coins,
            muted_kinds=before.muted_kinds,
        )

    def mute(self, chat_id: int, kinds: tuple[SignalKind, ...], now_ms: int) -> Subscription:
        """Return the settings after a user's choice; on stays on and off stays off."""
        before = self._chats.get(chat_id) or _settings(
            chat_id, now_ms, active=False, changed_by="auto_start", announced=False
        )
        return msgspec.structs.replace(
            before,
            event_id=derived_id("subscription", chat_id, "muted", *kinds, now_ms),
            ts_recv_ms=now_ms,
            muted_kinds=kinds,
        )


def never_started(subscription: Subscription) -> bool:
    """Return whether a chat is off by nobody's word: all it has said is which kinds it wants."""
    return not subscription.active and subscription.changed_by == "auto_start"


def _settings(
    chat_id: int, now_ms: int, *, active: bool, changed_by: str, announced: bool
) -> Subscription:
    return Subscription(
        event_id=derived_id("subscription", chat_id, str(active), changed_by, now_ms),
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        chat_id=chat_id,
        active=active,
        changed_by="user" if changed_by == "user" else "auto_start",
        announced=announced,
    )
