"""From a signal to the alerts of each chat that wants it."""

from typing import Final

from alert_router.domain import wording
from alert_router.domain.incidents import Incidents, News
from alert_router.domain.subscribers import Subscribers
from foreshock_schemas.events import Alert, Signal, Subscription
from foreshock_schemas.ids import derived_id

NEWS_FOR_MS: Final = 10 * 60_000
"""How long an alert is news; the gateway gathers older ones into a digest."""


class Router:
    """Joins who wants what with what is news. The same signals give the same alerts."""

    def __init__(self, cooldown_ms: int) -> None:
        self._cooldown_ms = cooldown_ms
        self._incidents = Incidents(cooldown_ms)
        self._subscribers = Subscribers()

    def on_subscription(self, subscription: Subscription) -> None:
        """Take a chat's settings as they stand now."""
        self._subscribers.apply(subscription)

    def on_past_alert(self, alert: Alert) -> None:
        """Take an alert that was written before we started."""
        self._incidents.restore(alert)

    def on_past_signal(self, signal: Signal) -> None:
        """Take a signal that was dealt with before we started."""
        self._incidents.saw(signal)

    def on_signal(self, signal: Signal) -> list[Alert]:
        """Return the alerts that a signal gives; none for a repeat or within the cooldown.

        What nobody wants to hear starts no cooldown, so that whoever subscribes hears the next.
        """
        chats = self._subscribers.wanting(signal)
        news = self._incidents.judge(signal) if chats else None
        return [self._alert(signal, news, chat) for chat in chats] if news else []

    def _alert(self, signal: Signal, news: News, chat_id: int) -> Alert:
        return Alert(
            event_id=derived_id("alert", news.incident_id, news.revision, chat_id),
            ts_event_ms=signal.ts_event_ms,
            ts_recv_ms=signal.ts_recv_ms,
            incident_id=news.incident_id,
            revision=news.revision,
            chat_id=chat_id,
            coin=signal.coin,
            kind=signal.kind,
            severity=signal.severity,
            title=wording.title(signal, news),
            lines=wording.lines(signal, news, self._cooldown_ms),
            signal_ids=(signal.event_id,),
            expires_ms=signal.ts_recv_ms + NEWS_FOR_MS,
        )
