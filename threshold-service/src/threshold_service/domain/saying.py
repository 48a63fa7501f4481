"""Makes a signal that says why out of what an adaptive detector found."""

from collections.abc import Iterator
from typing import Final

from foreshock_schemas.events import Event, Evidence, OffsetRange, Signal, SignalKind, Why
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import LIQUIDATIONS
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.around import Around

METHOD: Final = "adaptive"
MODEL: Final = "adaptive/3"
"""Goes up with every change that gives other signals from the same records."""

_CHANNELS: Final[dict[SignalKind, str]] = {
    "volume_spike": "trades",
    "oi_explosion": "open-interest",
    "liquidation": "liquidations",
    "cascade": "liquidations",
}


def signal_of(
    coin: str, found: Finding, event: Event, evidence: Evidence, around: Around
) -> Signal:
    """Return the signal of a finding; `event` at `evidence` is what triggered it."""
    return Signal(
        event_id=derived_id(found.kind, coin, found.name, event.event_id),
        ts_event_ms=event.ts_event_ms,
        ts_recv_ms=event.ts_recv_ms,
        coin=coin,
        kind=found.kind,
        severity=found.severity,
        headline=found.headline,
        reasons=found.reasons,
        value=found.value,
        limit=found.limit,
        unit=found.unit,
        window_s=found.window_s,
        position=found.position,
        direction=found.direction,
        price=found.price,
        method=METHOD,
        exchanges=found.exchanges,
        coverage=found.coverage,
        evidence=(evidence,),
        incident_id=found.incident_id,
        incident_state=found.incident_state,
        continuation=found.continuation,
        context=around.context(),
        why=_why(found, event, evidence, around),
    )


def _why(found: Finding, event: Event, evidence: Evidence, around: Around) -> Why:
    return Why(
        model=MODEL,
        baseline=found.baseline,
        score=found.score,
        score_limit=found.score_limit,
        factors=found.factors,
        inputs=tuple(_inputs(found, evidence)),
        feeds=around.feeds(_CHANNELS[found.kind]),
        settings_id=around.settings.event_id or None,
        held_back=found.held_back,
        reproduce=(
            "foreshock replay --service threshold-service "
            f"--from {event.ts_recv_ms} --to {event.ts_recv_ms + 1}"
        ),
    )


def _inputs(found: Finding, evidence: Evidence) -> Iterator[OffsetRange]:
    """Yield the records it rests on, by topic; partition n of all topics has the same coins."""
    if found.prints is not None:
        first, last = found.prints
        yield OffsetRange(
            topic=LIQUIDATIONS.name, partition=evidence.partition, first=first, last=last
        )
    yield OffsetRange(
        topic=evidence.topic,
        partition=evidence.partition,
        first=min(found.since_offset, evidence.offset),
        last=evidence.offset,
    )
