"""One run: a simulated market or a recording through the system under test."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec
from evaluation import baselines
from evaluation.baselines import Key
from evaluation.crossings import Scores
from evaluation.labels import Label
from evaluation.lines import Alert, Detector, Happening, Part, Span
from evaluation.machine import DETECTOR_OF, Machine
from evaluation.matching import covers, key_of, matches
from evaluation.tape import Tape

from foreshock_schemas.events import Alert as RouterAlert
from foreshock_schemas.events import Event, Signal

DAY_MS: Final = 86_400_000
TUNED_SHARE: Final = 0.6


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's parts begin: warm-up to `start_ms`, tuned to `cut_ms`, then held-out."""

    start_ms: int
    cut_ms: int
    end_ms: int

    def of(self, ms: int) -> Part:
        """Return the part that a time belongs to."""
        if not self.start_ms <= ms <= self.end_ms:
            return "neither"
        return "tuned" if ms < self.cut_ms else "held-out"

    def spans(self) -> Iterator[tuple[Part, int, int]]:
        """Yield the parts that count, and from when to when they go."""
        cut_ms = min(max(self.cut_ms, self.start_ms), self.end_ms)
        if self.start_ms < cut_ms:
            yield "tuned", self.start_ms, cut_ms
        if cut_ms < self.end_ms:
            yield "held-out", cut_ms, self.end_ms


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `labels` and `parts` (from first and last ms) are called after all events."""

    data: str
    run: str
    detectors: tuple[Detector, ...]
    events: Callable[[], Iterable[Event]]
    labels: Callable[[Tape], Sequence[Label]]
    parts: Callable[[int, int], Parts]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave. `scores` are the baselines', to be scaled when all runs have ended."""

    data: str
    run: str
    alerts: list[Alert]
    events: list[Happening]
    spans: list[Span]
    scores: dict[Key, list[Scores]]
    parts: Parts
    records: int


def run(source: Source) -> Outcome:
    """Feed a source's events to the system and to the tape, and say what came of it."""
    machine, tape = Machine(), Tape()
    told: list[Signal | RouterAlert] = []
    first_ms = last_ms = records = 0
    for event in source.events():
        records += 1
        last_ms = max(last_ms, event.ts_recv_ms)
        first_ms = first_ms or event.ts_recv_ms
        told.extend(machine.on_event(event))
        tape.on_event(event)
    parts = source.parts(first_ms, last_ms)
    alerts = [_alert(source, each, parts) for each in told if _detector(each) in source.detectors]
    events = [_happening(source, label, parts) for label in source.labels(tape)]
    return Outcome(
        data=source.data,
        run=source.run,
        alerts=_without_small(alerts, events),
        events=events,
        spans=list(_spans(source, parts, len(tape.coins))),
        scores={k: s for k, s in baselines.scores(tape).items() if k[0] in source.detectors},
        parts=parts,
        records=records,
    )


def _detector(told: Signal | RouterAlert) -> Detector:
    return DETECTOR_OF[told.kind]


def _alert(source: Source, told: Signal | RouterAlert, parts: Parts) -> Alert:
    detector = _detector(told)
    return Alert(
        data=source.data,
        run=source.run,
        part=parts.of(told.ts_event_ms),
        detector=detector,
        coin=told.coin,
        ts_event_ms=told.ts_event_ms,
        ts_recv_ms=told.ts_recv_ms,
        position=told.position if isinstance(told, Signal) else None,
        severity=told.severity,
        budgeted=detector not in {"cascade", "market-wide"} and told.severity != "critical",
        signal_id=told.event_id if isinstance(told, Signal) else told.signal_ids[0],
    )


def _happening(source: Source, label: Label, parts: Parts) -> Happening:
    return Happening(
        data=source.data,
        run=source.run,
        part=parts.of(label.start_ms) if label.counts else "neither",
        detector=label.detector,
        coin=label.coin,
        ts_event_ms=label.start_ms,
        end_ms=label.end_ms,
        position=label.position,
        usd=label.usd,
        course=label.course,
    )


def _without_small(alerts: Sequence[Alert], events: Sequence[Happening]) -> list[Alert]:
    """Return the alerts; those that tell only of events that do not count are in no part."""
    small = [event for event in events if event.part == "neither"]
    counted = [event for event in events if event.part != "neither"]
    hits = {id(match.alert) for match in matches(counted, alerts)}
    return [
        msgspec.structs.replace(alert, part="neither")
        if id(alert) not in hits and _tells_of(alert, small)
        else alert
        for alert in alerts
    ]


def _tells_of(alert: Alert, events: Sequence[Happening]) -> bool:
    return any(key_of(event) == key_of(alert) and covers(event, alert) for event in events)


def _spans(source: Source, parts: Parts, coins: int) -> Iterator[Span]:
    for part, start_ms, end_ms in parts.spans():
        for detector in source.detectors:
            yield Span(
                data=source.data,
                run=source.run,
                part=part,
                detector=detector,
                coins=1 if detector == "market-wide" else coins,
                start_ms=start_ms,
                end_ms=end_ms,
            )
