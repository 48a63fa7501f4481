"""Alerts written before a restart: who was told what, whatever the chats' settings say now."""

from collections.abc import Mapping
from typing import Final

from alert_router.domain.news import Revision
from alert_router.domain.recent import Recent
from foreshock_schemas.events import Alert

_REMEMBERED: Final = 10_000


class Past:
    """Alerts by what they tell: with their signals, read again, they restore the router's state."""

    def __init__(self) -> None:
        self._chats: Recent[Revision, dict[int, bool]] = Recent(_REMEMBERED)
        self._revisions: Recent[str, Revision] = Recent(_REMEMBERED)

    def add(self, alert: Alert) -> None:
        """Take an alert that was written, told or held back."""
        revision = Revision(alert.incident_id, alert.revision)
        if revision not in self._chats:
            self._chats[revision] = {}
        self._chats[revision][alert.chat_id] = alert.held_back
        if alert.kind != "market_wide":
            for signal_id in alert.signal_ids:
                self._revisions[signal_id] = revision

    def of_signal(self, signal_id: str) -> Revision | None:
        """Return which revision of its coin's incident a signal became."""
        return self._revisions.get(signal_id)

    def was_told(self, incident_id: str) -> bool:
        """Return whether an incident's first alert was written, to anybody."""
        return Revision(incident_id, 1) in self._chats

    def chats(self, revision: Revision) -> Mapping[int, bool]:
        """Return the chats that a revision was written for, and for which it was held back."""
        return self._chats.get(revision, {})
