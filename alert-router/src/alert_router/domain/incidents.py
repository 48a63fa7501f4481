"""Which signals are news: one incident per coin and kind, then silence for a while.

Feeds have no coin: there it is one per exchange.
"""

from collections import OrderedDict
from typing import Final, TypeVar

import msgspec

from alert_router.domain.subscribers import RANK
from foreshock_schemas.events import Alert, Signal
from foreshock_schemas.ids import derived_id

_REMEMBERED: Final = 10_000
"""Signal ids kept against repeats: hours of the busiest market, a megabyte."""

T = TypeVar("T")


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
        self._open: dict[tuple[str, str, str], _Incident] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._told: OrderedDict[str, News] = OrderedDict()

    def restore(self, alert: Alert) -> None:
        """Take an alert that was written before: its incident is open, its signals are told."""
        news = News(incident_id=alert.incident_id, revision=alert.revision, held_back=0)
        for signal_id in alert.signal_ids:
            _remember(self._told, signal_id, news)
        if alert.kind == "feed":  # of which exchange it was, an alert does not say
            return
        key = (alert.coin, alert.kind, "")
        incident = self._open.get(key)
        rank = RANK[alert.severity]
        if incident and incident.incident_id == alert.incident_id:
            incident.started_ms = min(incident.started_ms, alert.ts_event_ms)
            incident.revision = max(incident.revision, alert.revision)
            incident.rank = max(incident.rank, rank)
        elif incident is None or alert.ts_event_ms > incident.started_ms:
            self._open[key] = _Incident(
                incident_id=alert.incident_id,
                revision=alert.revision,
                started_ms=alert.ts_event_ms,
                rank=rank,
            )

    def judge(self, signal: Signal) -> News | None:
        """Return what to tell of a signal; `None` for a repeat or more of the same.

        A signal whose alerts were written by somebody who then died is told the same again.
        """
        if signal.event_id in self._seen:
            return None
        self.saw(signal)
        if signal.event_id in self._told:
            return self._told[signal.event_id]
        key = _key(signal)
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
        held_back, incident.held_back = incident.held_back, 0
        return News(
            incident_id=incident.incident_id, revision=incident.revision, held_back=held_back
        )

    def saw(self, signal: Signal) -> None:
        """Know a signal again from now on."""
        _remember(self._seen, signal.event_id, None)

    def _start(self, signal: Signal, rank: int) -> _Incident:
        return _Incident(
            incident_id=derived_id("incident", signal.event_id),
            revision=1,
            started_ms=signal.ts_event_ms,
            rank=rank,
        )


def _key(signal: Signal) -> tuple[str, str, str]:
    """Return what is told together: of feeds an exchange's troubles, and their ends, apart."""
    apart = f"{signal.exchanges} {signal.severity}" if signal.kind == "feed" else ""
    return signal.coin, signal.kind, apart


def _remember(known: OrderedDict[str, T], key: str, value: T) -> None:
    known[key] = value
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
