"""Puts rows, claims and baselines together from the outcomes of all runs, and saves them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from evaluation.claims import Chance, Claim, chances, claims
from evaluation.lines import Alert, Happening, Line, Span, write
from evaluation.rows import Group, Key, Row, groups, row
from evaluation.running import Outcome
from evaluation.scaling import baseline_alerts, baseline_rows


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What was run, so that it can be run again."""

    seeds: tuple[int, ...]
    scenarios: tuple[str, ...]
    recordings: tuple[str, ...]
    missing_recordings: tuple[str, ...]
    versions: dict[str, str]
    records: int
    duration_s: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `evaluation.json`; `spans` say how long each run was watched."""

    rows: list[Row]
    claims: list[Claim]
    chances: list[Chance]
    ran: Ran
    spans: list[Span]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All alerts and events, by row as well, and what the baselines told in each row."""

    alerts: list[Alert]
    events: list[Happening]
    spans: list[Span]
    groups: dict[Key, Group]
    baselines: dict[Key, dict[str, list[Alert]]]


def evidence(outcomes: Sequence[Outcome]) -> Evidence:
    """Return what rows and plots are made of."""
    alerts = [alert for each in outcomes for alert in each.alerts]
    events = [event for each in outcomes for event in each.events]
    spans = [span for each in outcomes for span in each.spans]
    by_row = groups(spans, events, alerts)
    return Evidence(
        alerts=alerts,
        events=events,
        spans=spans,
        groups=by_row,
        baselines={
            key: baseline_alerts(key, len(group.alerts), outcomes) for key, group in by_row.items()
        },
    )


def evaluation(seen: Evidence, ran: Ran) -> Evaluation:
    """Return rows, claims, and what chance would find."""
    return Evaluation(
        rows=[
            row(key, group, baseline_rows(group, seen.baselines[key]))
            for key, group in seen.groups.items()
        ],
        claims=claims(seen.groups, seen.baselines),
        chances=chances(seen.groups),
        ran=ran,
        spans=seen.spans,
    )


def save(seen: Evidence, result: Evaluation, folder: Path) -> None:
    """Write `evaluation.json`, and the lines that it follows from, ours and the baselines'."""
    lines: list[Line] = sorted(
        [*seen.alerts, *seen.events], key=lambda line: (line.data, line.run, line.ts_event_ms)
    )
    write(folder / "evaluation-events.jsonl", lines)
    told = (alert for each in seen.baselines.values() for some in each.values() for alert in some)
    write(folder / "evaluation-baselines.jsonl", told)
    whole = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (folder / "evaluation.json").write_bytes(whole)
