"""Which signals are news: one incident per coin and kind, then silence for the cooldown.

Feeds have no coin: for them it is one per exchange.
"""

import msgspec

from alert_router.domain.news import Revision
from alert_router.domain.subscribers import RANK
from foreshock_schemas.events import Signal
from foreshock_schemas.ids import derived_id


class Told(msgspec.Struct, frozen=True):
    """A signal worth an alert, and how many were held back since the last one of its kind."""

    revision: Revision
    held_back: int


class _Incident(msgspec.Struct, kw_only=True):
    revision: Revision
    started_ms: int
    rank: int
    held_back: int = 0


class Incidents:
    """Tells news from more of the same. Its time is the signals' own.

    Within the cooldown only a rise in severity is news: it revises the incident. Signals held
    back are counted, and the next alert of that coin and kind says how many they were.
    """

    def __init__(self, cooldown_ms: int) -> None:
        self._cooldown_ms = cooldown_ms
        self._open: dict[tuple[str, str, str], _Incident] = {}

    def judge(self, signal: Signal) -> Told | None:
        """Return what to tell of a signal; `None` for more of the same."""
        incident = self._now_open(signal)
        if incident is None:
            return self.recall(signal, Revision(derived_id("incident", signal.event_id), 1))
        if RANK[signal.severity] <= incident.rank:
            incident.held_back += 1
            return None
        before = incident.revision
        return self.recall(signal, Revision(before.incident_id, before.number + 1))

    def recall(self, signal: Signal, revision: Revision | None) -> Told | None:
        """Take a signal that was told as this revision, or was not told (`None`)."""
        key = _key(signal)
        incident = self._open.get(key)
        if revision is None:
            now_open = self._now_open(signal)
            if now_open is not None and RANK[signal.severity] <= now_open.rank:
                now_open.held_back += 1
            return None
        held_back = incident.held_back if incident else 0
        same = incident is not None and incident.revision.incident_id == revision.incident_id
        if incident is None or not same:
            incident = self._open[key] = _Incident(
                revision=revision, started_ms=signal.ts_event_ms, rank=RANK[signal.severity]
            )
        incident.revision = revision
        incident.rank = max(incident.rank, RANK[signal.severity])
        incident.held_back = 0
        return Told(revision, held_back)

    def _now_open(self, signal: Signal) -> _Incident | None:
        incident = self._open.get(_key(signal))
        if incident is None or signal.ts_event_ms >= incident.started_ms + self._cooldown_ms:
            return None
        return incident


def _key(signal: Signal) -> tuple[str, str, str]:
    """Return what signals of one incident share; of feeds, exchange and severity as well."""
    apart = f"{signal.exchanges} {signal.severity}" if signal.kind == "feed" else ""
    return signal.coin, signal.kind, apart
