"""Incidents whose states detectors tell themselves: each state is told once, in any order."""

from typing import Final

import msgspec

from alert_router.domain.news import Revision
from alert_router.domain.recent import Recent
from foreshock_schemas.events import IncidentState

_REMEMBERED: Final = 10_000
_ORDER: Final[dict[IncidentState, int]] = {"BUILDING": 0, "CONFIRMED": 1, "FADING": 2, "ENDED": 3}


class _Known(msgspec.Struct):
    revision: int = 0
    furthest: int = -1
    confirmed: bool = False


class Cascades:
    """Remembers how far each incident has come, by its signals alone."""

    def __init__(self) -> None:
        self._known: Recent[str, _Known] = Recent(_REMEMBERED)

    def judge(self, incident_id: str, state: IncidentState) -> Revision | None:
        """Return the revision that a state makes; `None` if it is late or a repeat.

        CONFIRMED is news however late: nothing else says it.
        """
        if incident_id not in self._known:
            self._known[incident_id] = _Known()
        known, step = self._known[incident_id], _ORDER[state]
        first_confirmed = state == "CONFIRMED" and not known.confirmed
        if step <= known.furthest and not first_confirmed:
            return None
        known.furthest = max(known.furthest, step)
        known.confirmed |= state == "CONFIRMED"
        known.revision += 1
        return Revision(incident_id, known.revision)
