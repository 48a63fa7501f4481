"""One chat's alerts that wait to be sent, and which of them go next, as one message."""

from collections.abc import Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Alert, Severity

CAPACITY: Final = 500
NEWS_A_MESSAGE: Final = 10
TITLES_A_MESSAGE: Final = 25
"""So that a message holds what it names: Telegram takes 4096 characters."""

_RANK: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that go out as one message. `history`: they are news no more."""

    alerts: tuple[Alert, ...]
    possible_repeat: bool
    history: bool


class Waiting:
    """Collects what comes in while a chat may not be written to.

    News goes first, the most severe on top; then what is history by now. A market-wide cascade
    raises dozens of alerts within seconds, and Telegram takes one message a second.
    """

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}  # by incident: its newest revision
        self._possible_repeats: set[str] = set()

    def __len__(self) -> int:
        return len(self._alerts)

    def put(self, alert: Alert, *, possible_repeat: bool) -> Alert | None:
        """Let an alert wait instead of older revisions; return the oldest if it had to give way."""
        waits = self._alerts.get(alert.incident_id)
        if waits is None or waits.revision < alert.revision:
            self._alerts[alert.incident_id] = alert
        if possible_repeat:
            self._possible_repeats.add(alert.event_id)
        if len(self._alerts) <= CAPACITY:
            return None
        oldest = next(iter(self._alerts.values()))
        self.remove(oldest)
        return oldest

    def remove(self, alert: Alert) -> None:
        """Let an alert wait no longer."""
        if self._alerts.get(alert.incident_id) == alert:
            del self._alerts[alert.incident_id]
        self._possible_repeats.discard(alert.event_id)

    def mark(self, letter: Letter) -> None:
        """Note that a letter may have arrived, though nobody said so."""
        self._possible_repeats.update(each.event_id for each in letter.alerts)

    def next(self, now_ms: int) -> Letter | None:
        """Return what goes next; it waits on until it is removed."""
        news = [each for each in self._alerts.values() if now_ms <= each.expires_ms]
        if news:
            ranked = sorted(news, key=lambda each: _RANK[each.severity])
            return self._letter(ranked[:NEWS_A_MESSAGE], history=False)
        if self._alerts:
            return self._letter([*self._alerts.values()][:TITLES_A_MESSAGE], history=True)
        return None

    def _letter(self, alerts: Sequence[Alert], *, history: bool) -> Letter:
        doubtful = any(each.event_id in self._possible_repeats for each in alerts)
        return Letter(alerts=tuple(alerts), possible_repeat=doubtful, history=history)
