"""One chat's alerts that wait to be sent, and which of them go next, as one message."""

from collections.abc import Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Alert, Severity

CAPACITY: Final = 500
NEWS_A_MESSAGE: Final = 10
TITLES_A_MESSAGE: Final = 25
"""So that a message holds what it names: Telegram takes 4096 characters."""

_QUIET: Final = {"FADING", "ENDED"}
_RANK: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that go out as one message. `history`: they are news no more; `quiet`: no sound."""

    alerts: tuple[Alert, ...]
    possible_repeat: bool
    history: bool
    quiet: bool


class _Held(msgspec.Struct):
    """The newest revision of an incident. Quiet if it ends what was told: not what it replaces."""

    alert: Alert
    possible_repeat: bool
    quiet: bool


class Waiting:
    """Collects what comes in while a chat may not be written to.

    News goes first, the most severe on top; then what is history by now. A market-wide cascade
    raises dozens of alerts within seconds, and Telegram takes one message a second.
    """

    def __init__(self) -> None:
        self._by_incident: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._by_incident)

    def put(self, alert: Alert, *, possible_repeat: bool) -> Alert | None:
        """Let an alert wait instead of older revisions; return the oldest if it had to give way."""
        held = self._by_incident.get(alert.incident_id)
        if held is None or held.alert.revision < alert.revision:
            quiet = alert.incident_state in _QUIET and (held is None or held.quiet)
            self._by_incident[alert.incident_id] = _Held(alert, possible_repeat, quiet)
        elif possible_repeat:
            self._doubt(alert)
        if len(self._by_incident) <= CAPACITY:
            return None
        oldest = next(iter(self._by_incident.values())).alert
        self.remove(oldest)
        return oldest

    def remove(self, alert: Alert) -> None:
        """Let an alert wait no longer."""
        held = self._by_incident.get(alert.incident_id)
        if held is not None and held.alert == alert:
            del self._by_incident[alert.incident_id]

    def mark(self, letter: Letter) -> None:
        """Note that a letter may have arrived, though nobody said so."""
        for alert in letter.alerts:
            self._doubt(alert)

    def next(self, now_ms: int) -> Letter | None:
        """Return what goes next; it waits on until it is removed."""
        every = list(self._by_incident.values())
        news = [held for held in every if now_ms <= held.alert.expires_ms]
        if news:
            ranked = sorted(news, key=lambda held: _RANK[held.alert.severity])
            return _letter(ranked[:NEWS_A_MESSAGE], history=False)
        return _letter(every[:TITLES_A_MESSAGE], history=True) if every else None

    def _doubt(self, alert: Alert) -> None:
        held = self._by_incident.get(alert.incident_id)
        if held is not None and held.alert == alert:
            held.possible_repeat = True


def _letter(held: Sequence[_Held], *, history: bool) -> Letter:
    return Letter(
        alerts=tuple(each.alert for each in held),
        possible_repeat=any(each.possible_repeat for each in held),
        history=history,
        quiet=all(each.quiet for each in held),
    )
