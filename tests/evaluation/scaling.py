"""The baselines' alerts, as many as ours in each row."""

from collections.abc import Iterator, Sequence

from evaluation.baselines import BASELINES, Baseline, alerts_of
from evaluation.crossings import Scores, scaled
from evaluation.lines import Alert
from evaluation.matching import matches
from evaluation.rows import BaselineRow, Group, Key
from evaluation.running import Outcome

Runs = Sequence[tuple[Outcome, Scores]]


def baseline_alerts(key: Key, wanted: int, outcomes: Sequence[Outcome]) -> dict[str, list[Alert]]:
    """Return each baseline's alerts in a row, with the limit that gives `wanted` of them.

    A baseline has one limit for all coins and runs of the row, chosen on the row itself: nobody
    could have known a better one. If no limit gives exactly as many, it gives more rather than
    fewer.
    """
    told = {}
    for baseline in BASELINES:
        runs = list(_runs(key, baseline, outcomes))
        told[baseline] = _as_many(key, baseline, runs, wanted) if runs and wanted else []
    return told


def _as_many(key: Key, baseline: Baseline, runs: Runs, wanted: int) -> list[Alert]:
    def alerts(limit: float) -> list[Alert]:
        return list(_alerts(key, baseline, runs, limit))

    top = max(float(scores.values.max()) for _, scores in runs)
    return alerts(scaled(lambda limit: len(alerts(limit)), wanted, top)) if top > 0 else []


def baseline_rows(group: Group, told: dict[str, list[Alert]]) -> dict[str, BaselineRow]:
    """Return the share of the row's events that each baseline found."""
    events = len(group.events)
    return {
        name: BaselineRow(
            alerts=len(alerts),
            recall=round(len(matches(group.events, alerts)) / events, 4) if events else None,
        )
        for name, alerts in told.items()
    }


def _runs(
    key: Key, baseline: Baseline, outcomes: Sequence[Outcome]
) -> Iterator[tuple[Outcome, Scores]]:
    data, _, detector = key
    for outcome in outcomes:
        if outcome.data == data:
            for scores in outcome.scores.get((detector, baseline), []):
                yield outcome, scores


def _alerts(key: Key, baseline: Baseline, runs: Runs, limit: float) -> Iterator[Alert]:
    data, part, detector = key
    for outcome, scores in runs:
        for ms in alerts_of(scores, detector, limit):
            if outcome.parts.of(ms) == part:
                yield Alert(
                    data=data,
                    run=outcome.run,
                    part=part,
                    detector=detector,
                    coin=scores.coin,
                    ts_event_ms=ms,
                    ts_recv_ms=ms,
                    position=scores.position,
                    severity="",
                    budgeted=False,
                    signal_id=baseline,
                )
