import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec
import pytest
from evaluation import simulated
from evaluation.claims import by_chance
from evaluation.evaluating import Evaluation, Evidence, Ran, evaluation, evidence, save
from evaluation.labels import Label
from evaluation.lines import Alert, Happening, Span
from evaluation.matching import EARLY_S, TOLERANCE_S
from evaluation.report import html
from evaluation.rows import Group
from evaluation.running import Outcome, Parts, Source, run

from foreshock_schemas.events import Event, Liquidation
from foreshock_schemas.testing import sample

MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
RAN = Ran(
    seeds=(1, 101),
    scenarios=("cascade",),
    recordings=(),
    missing_recordings=("hourly-perps-2025",),
    versions={},
    records=0,
    duration_s=0.0,
)


@pytest.fixture(scope="module")
def seen() -> Evidence:
    runs = [run(simulated.source("cascade", seed, 0.2)) for seed in (1, 101)]
    told = [100_000, 180_500, 250_000, 320_000, 400_000, 700_500, 770_000, 900_000]
    return evidence([*runs, outcome([liquidation(180_000), liquidation(700_000)], 1, *told)])


@pytest.fixture(scope="module")
def result(seen: Evidence) -> Evaluation:
    return evaluation(seen, RAN)


def test_a_few_hours_of_one_scenario_give_rows_of_every_detector(result: Evaluation):
    rows = [row for row in result.rows if row.data == "simulator:cascade"]

    assert [row.detector for row in rows if row.part == "tuned"] == [
        "liquidation", "cascade", "volume", "open-interest",
    ]  # fmt: skip
    assert {row.part for row in rows} == {"tuned", "held-out"}
    assert any(row.events for row in rows if row.detector == "cascade")


def test_rows_can_be_recomputed_from_the_raw_file(
    seen: Evidence, result: Evaluation, tmp_path: Path
):
    save(seen, result, tmp_path)
    lines = (tmp_path / "evaluation-events.jsonl").read_text().splitlines()
    raw: defaultdict[tuple[str, ...], list[dict]] = defaultdict(list)
    for line in map(json.loads, lines):
        raw[line["data"], line["part"], line["detector"]].append(line)
    told = json.loads((tmp_path / "evaluation.json").read_text())

    assert sum(row["hits"] for row in told["rows"]) >= 2
    for row in told["rows"]:
        mine = raw[row["data"], row["part"], row["detector"]]
        events = [line for line in mine if line["kind"] == "event"]
        alerts = [line for line in mine if line["kind"] == "alert"]
        delays = list(found(events, alerts, 1000 * TOLERANCE_S[row["detector"]]))
        assert (row["events"], row["alerts"], row["hits"]) == (
            len(events), len(alerts), len(delays),
        )  # fmt: skip
        assert row["recall"] == (round(len(delays) / len(events), 4) if events else None)
        assert row["precision"] == (round(len(delays) / len(alerts), 4) if alerts else None)
        assert row["delay_s"] == (round(median(delays), 4) if delays else None)


def found(events: list[dict], alerts: list[dict], late_ms: int) -> Iterator[float]:
    free = sorted(events, key=lambda line: line["end_ms"])
    for alert in sorted(alerts, key=lambda line: line["ts_event_ms"]):
        for event in free:
            same = all(alert[name] == event[name] for name in ("run", "coin"))
            side = event["position"] in {None, alert["position"]}
            from_ms = event["ts_event_ms"] - 1000 * EARLY_S.get(event["detector"], 0)
            within = from_ms <= alert["ts_event_ms"] <= event["end_ms"] + late_ms
            if same and side and within:
                free.remove(event)
                yield (alert["ts_recv_ms"] - event["ts_event_ms"]) / 1000
                break


def test_baselines_tell_as_often_as_we_do(result: Evaluation):
    for row in result.rows:
        if row.data == "recording:made-up":
            assert row.alerts in {3, 5}
            assert row.baselines["prd"].alerts == row.baselines["fixed"].alerts == row.alerts


def test_the_page_needs_nothing_else_and_says_what_is_missing(seen: Evidence, result: Evaluation):
    page = html(seen, result)

    assert "simulator:cascade" in page
    assert "hourly-perps-2025" in page
    assert "http" not in page
    assert "<script" not in page


def shuffled(group: Group, generator: random.Random) -> Group:
    (span,) = group.spans
    events = [
        msgspec.structs.replace(event, ts_event_ms=at_ms, end_ms=at_ms + MINUTE_MS)
        for event in group.events
        for at_ms in [generator.randrange(span.start_ms, span.end_ms)]
    ]
    return Group(events, group.alerts, group.spans)


def test_shuffled_truth_is_found_as_often_as_by_chance():
    days, each = 20, 15 * MINUTE_MS
    times = range(0, days * DAY_MS, each)
    span = sample(Span, detector="volume", coins=1, start_ms=0, end_ms=days * DAY_MS)
    group = Group(
        [sample(Happening, detector="volume", ts_event_ms=t, end_ms=t + MINUTE_MS) for t in times],
        [sample(Alert, detector="volume", ts_event_ms=t, ts_recv_ms=t) for t in times],
        [span],
    )
    by_truth = len(group.matches) / len(group.events)
    placebo = shuffled(group, random.Random(7))

    assert by_truth == 1
    assert len(placebo.matches) / len(placebo.events) == pytest.approx(by_chance(placebo), abs=0.05)
    assert by_chance(placebo) < 0.3


def outcome(labels: list[Label], *at_ms: int, usd: float = 1e7) -> Outcome:
    """Return what came of liquidations far above every limit, each thrice the one before."""

    def events() -> Iterator[Event]:
        for number, ms in enumerate(at_ms):
            yield sample(
                Liquidation, event_id=str(number), coin="BTC", ts_event_ms=ms, ts_recv_ms=ms,
                notional_usd=usd * 3**number, position="long",
            )  # fmt: skip

    return run(
        Source(
            data="recording:made-up",
            run="",
            detectors=("liquidation",),
            events=events,
            labels=lambda _tape: labels,
            parts=lambda first_ms, last_ms: Parts(
                start_ms=first_ms + MINUTE_MS, cut_ms=10 * MINUTE_MS, end_ms=last_ms
            ),
        )
    )


def liquidation(start_ms: int, *, counts: bool = True) -> Label:
    return Label(
        detector="liquidation", coin="BTC", start_ms=start_ms, end_ms=start_ms + 1000, counts=counts
    )


def test_what_is_too_small_counts_neither_way():
    given = outcome([liquidation(180_000, counts=False)], 1, 180_500, 500_000)

    assert [event.part for event in given.events] == ["neither"]
    assert [alert.part for alert in given.alerts] == ["neither", "neither", "tuned"]


def test_the_warm_up_counts_neither_way_and_the_cut_parts_the_rest():
    given = outcome([liquidation(180_000), liquidation(700_000)], 1, 180_500, 700_500)

    assert [alert.part for alert in given.alerts] == ["neither", "tuned", "held-out"]
    assert [event.part for event in given.events] == ["tuned", "held-out"]
    assert [(span.part, span.start_ms) for span in given.spans] == [
        ("tuned", 60_001), ("held-out", 600_000),
    ]  # fmt: skip


def test_what_is_critical_is_not_paid_from_the_budget():
    told = list(outcome([], 1, 180_500, 700_500).alerts)

    assert {(alert.severity, alert.budgeted) for alert in told} == {("critical", False)}
