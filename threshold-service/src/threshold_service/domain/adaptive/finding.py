"""What an adaptive detector has found, before it becomes a signal."""

from typing import Literal

import msgspec

from foreshock_schemas.events import (
    Coverage,
    Factor,
    IncidentState,
    Position,
    Severity,
    SignalKind,
)


class Finding(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something worth telling of one coin; fields as in `Signal` and `Why`.

    `name` tells findings of the same triggering record apart (a side, a direction, a state) and
    goes into the signal's id. `since_offset` is the oldest record of the driving topic that it
    rests on; `prints` are the offsets of the first and the last liquidation, where liquidations
    are not the driving topic.
    """

    kind: SignalKind
    name: str
    severity: Severity
    headline: str
    reasons: tuple[str, ...]
    value: float
    limit: float
    unit: Literal["usd", "pct"]
    window_s: int
    since_offset: int
    baseline: float | None
    score: float | None
    score_limit: float | None
    factors: tuple[Factor, ...]
    held_back: int
    price: float | None
    exchanges: tuple[str, ...]
    coverage: Coverage
    position: Position | None = None
    direction: Literal["up", "down"] | None = None
    prints: tuple[int, int] | None = None
    incident_id: str | None = None
    incident_state: IncidentState | None = None
    continuation: float | None = None
