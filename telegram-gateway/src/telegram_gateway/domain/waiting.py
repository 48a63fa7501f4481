"""One chat's alerts that wait to be sent, and which of them go next."""

from typing import Final

import msgspec

from foreshock_schemas.events import Alert, Severity

CAPACITY: Final = 500

_RANK: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that go out as one message; several are the digest of what is history by now."""

    alerts: tuple[Alert, ...]
    possible_repeat: bool
    is_digest: bool


class Waiting:
    """News goes first, the most severe before the rest; what is history goes as one digest."""

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}
        self._possible_repeats: set[str] = set()

    def __len__(self) -> int:
        return len(self._alerts)

    def put(self, alert: Alert, *, possible_repeat: bool) -> Alert | None:
        """Let an alert wait; return the oldest one if it had to give way."""
        self._alerts.setdefault(alert.event_id, alert)
        if possible_repeat:
            self._possible_repeats.add(alert.event_id)
        if len(self._alerts) <= CAPACITY:
            return None
        oldest = next(iter(self._alerts.values()))
        self.remove(oldest)
        return oldest

    def remove(self, alert: Alert) -> None:
        """Let an alert wait no longer."""
        self._alerts.pop(alert.event_id, None)
        self._possible_repeats.discard(alert.event_id)

    def mark(self, letter: Letter) -> None:
        """Note that a letter may have arrived, though nobody said so."""
        self._possible_repeats.update(each.event_id for each in letter.alerts)

    def next(self, now_ms: int) -> Letter | None:
        """Return what goes next; it waits on until it is removed."""
        news = [each for each in self._alerts.values() if now_ms <= each.expires_ms]
        if news:
            first = min(news, key=lambda each: _RANK[each.severity])
            return self._letter((first,), is_digest=False)
        if self._alerts:
            return self._letter(tuple(self._alerts.values()), is_digest=True)
        return None

    def _letter(self, alerts: tuple[Alert, ...], *, is_digest: bool) -> Letter:
        doubtful = any(each.event_id in self._possible_repeats for each in alerts)
        return Letter(alerts=alerts, possible_repeat=doubtful, is_digest=is_digest)
