"""News: what there is to tell, before it is decided to whom."""

from typing import Final

import msgspec

from foreshock_schemas.events import IncidentState, Severity, SignalKind

OVER: Final = frozenset({"FADING", "ENDED"})
"""The states of an incident that only end what was told."""


class Revision(msgspec.Struct, frozen=True):
    """One telling of an incident; 1 is the first, more are its updates."""

    incident_id: str
    number: int


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an incident, as any chat may hear it; fields as in `Alert`.

    `explained` is the id of the signal that `foreshock explain` can explain.
    """

    revision: Revision
    coin: str
    kind: SignalKind
    severity: Severity
    state: IncidentState | None
    title: str
    happened: tuple[str, ...]
    details: tuple[str, ...]
    cooled: tuple[str, ...]
    explained: str | None
    signal_ids: tuple[str, ...]
    ts_event_ms: int
    ts_recv_ms: int

    @property
    def quiet(self) -> bool:
        """Whether it only ends what was told: it makes no sound and counts for no limit."""
        return self.state in OVER

    @property
    def unlimited(self) -> bool:
        """Whether no limit may hold it back: a limit bounds noise, never truth."""
        return (
            self.severity == "critical"
            or self.state == "CONFIRMED"
            or self.kind in {"feed", "market_wide"}
        )
