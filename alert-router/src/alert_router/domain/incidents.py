"""Which signals are news: one incident per coin and kind, then silence for a while."""

from collections import OrderedDict
from typing import Final

import msgspec

from alert_router.domain.subscribers import RANK
from foreshock_schemas.events import Signal
from foreshock_schemas.ids import derived_id

_REMEMBERED: Final = 10_000
"""Signal ids kept against repeats: hours of the busiest market, a megabyte."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A signal worth an alert, and what was held back since the last one of its kind."""

    incident_id: str
    revision: int
    held_back: int


class _Incident(msgspec.Struct, kw_only=True):
    incident_id: str
    revision: int
    started_ms: int
    rank: int
    held_back: int = 0


class Incidents:
    """Tells news from repeats and from more of the same. Its time is the signals' own.

    Within the cooldown only a rise in severity is news: it revises the incident. What is
    held back is counted, and the next alert of that coin and kind says so.
    """

    def __init__(self, cooldown_ms: int) -> None:
        self._cooldown_ms = cooldown_ms
        self._open: dict[tuple[str, str], _Incident] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def judge(self, signal: Signal) -> News | None:
        """Return what to tell of a signal; `None` for a repeat or more of the same."""
        if not self._first_sight(signal.event_id):
            return None
        key = (signal.coin, signal.kind)
        incident = self._open.get(key)
        rank = RANK[signal.severity]
        if incident is None or signal.ts_event_ms >= incident.started_ms + self._cooldown_ms:
            held_back = incident.held_back if incident else 0
            self._open[key] = self._start(signal, rank)
            return News(incident_id=self._open[key].incident_id, revision=1, held_back=held_back)
        if rank <= incident.rank:
            incident.held_back += 1
            return None
        incident.rank = rank
        incident.revision += 1
        return News(
            incident_id=incident.incident_id,
            revision=incident.revision,
            held_back=incident.held_back,
        )

    def _start(self, signal: Signal, rank: int) -> _Incident:
        return _Incident(
            incident_id=derived_id("incident", signal.event_id),
            revision=1,
            started_ms=signal.ts_event_ms,
            rank=rank,
        )

    def _first_sight(self, event_id: str) -> bool:
        if event_id in self._seen:
            return False
        self._seen[event_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True
