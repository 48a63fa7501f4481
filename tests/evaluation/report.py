"""`evaluation.html`: the report for people, from claims and plots to all rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import numpy as np
from evaluation.baselines import BASELINES
from evaluation.charts import Dots, columns, cumulative, dot_plot, key
from evaluation.evaluating import Evaluation, Evidence
from evaluation.intervals import Interval, of_share
from evaluation.lines import DETECTORS, Detector
from evaluation.matching import matches
from evaluation.page import figure, page, section, table
from evaluation.rows import BUDGET, Group, Key, Row

BUDGET_DATA: Final = ("simulator:regime-shift", "simulator:weekend")
PLACEBO: Final = "simulator:placebo"

_DELAY_S: Final = 300
_DAY_MS: Final = 86_400_000


def html(seen: Evidence, result: Evaluation) -> str:
    """Return the page."""
    return page(
        "Foreshock: how good the alerts are",
        [
            _ran(result),
            section("In short", _claims(result)),
            section("Recall at as many alerts", *_recall(seen)),
            section("Delay", *_delays(seen)),
            section("Alerts a day against the budget", *_budget(seen)),
            section("Placebo", _placebo(result)),
            section("All rows", _rows(result.rows)),
        ],
    )


def _ran(result: Evaluation) -> str:
    ran = result.ran
    said = [
        f"Seeds {', '.join(map(str, ran.seeds))} of {len(ran.scenarios)} scenarios, "
        f"{len(ran.recordings)} recordings, {ran.records:,} records in {ran.duration_s:,.0f} s.",
        "Held-out: seeds from 100 on, and the last 40 % of each recording. Intervals are 95 %.",
    ]
    if ran.missing_recordings:
        said.append(f"Not there, so not told of: {', '.join(ran.missing_recordings)}.")
    return "".join(f'<p class="faint">{each}</p>' for each in said)


def _claims(result: Evaluation) -> str:
    body = [
        [each.name, f"{_number(each.value)} ({_interval(each.interval)})", str(each.events)]
        for each in result.claims
    ]
    return table(["held-out scenarios", "value", "events"], body)


def _recall(seen: Evidence) -> list[str]:
    lines = [
        line
        for detector in DETECTORS
        for name, keys in _pools(seen, detector).items()
        if (line := _dots(seen, detector, name, keys)) is not None
    ]
    if not lines:
        return ["<p>Nothing held out has events.</p>"]
    caption = (
        "Held-out, with the number of events. The bar is ours; small dots tell as often as we."
    )
    return [key(["ours", *BASELINES]), figure(dot_plot(lines), caption)]


def _pools(seen: Evidence, detector: Detector) -> dict[str, list[Key]]:
    pools: defaultdict[str, list[Key]] = defaultdict(list)
    for each in seen.groups:
        data, part, of = each
        if part == "held-out" and of == detector:
            kind, _, name = data.partition(":")
            pools[kind if kind == "simulator" else name].append(each)
    return dict(pools)


def _dots(seen: Evidence, label: str, note: str, keys: Sequence[Key]) -> Dots | None:
    groups = [seen.groups[each] for each in keys]
    events = np.concatenate([group.hours(group.events) for group in groups])
    total = float(events.sum())
    if not total:
        return None
    hits = np.concatenate([group.hours(m.event for m in group.matches) for group in groups])
    others = {
        name: sum(len(matches(seen.groups[k].events, seen.baselines[k][name])) for k in keys)
        / total
        for name in BASELINES
    }
    return Dots(
        label=label,
        note=f"{note[:20]}: {total:.0f}",
        value=float(hits.sum()) / total,
        interval=of_share(hits, events),
        others=others,
    )


def _delays(seen: Evidence) -> list[str]:
    curves = {
        detector: delays
        for detector in DETECTORS
        if detector != "market-wide" and (delays := _delays_of(seen, detector))
    }
    caption = "Share of the events found that were told within so many seconds of their onset."
    return [key(curves), figure(cumulative(curves, _DELAY_S, "s"), caption)] if curves else []


def _delays_of(seen: Evidence, detector: Detector) -> list[float]:
    return [
        match.delay_s
        for (_, part, of), group in seen.groups.items()
        if part == "held-out" and of == detector
        for match in group.matches
    ]


def _budget(seen: Evidence) -> list[str]:
    figures = []
    for data in BUDGET_DATA:
        for detector, budget in BUDGET.items():
            group = seen.groups.get((data, "held-out", detector))
            if group is not None:
                days = _by_day(group)
                plot = columns(list(days.values()), budget, list(days))
                caption = f"{data.partition(':')[2]}, {detector}: alerts by day of the run, a coin"
                figures.append(figure(plot, caption))
    return figures or ["<p>Neither a regime shift nor a weekend was run.</p>"]


def _by_day(group: Group) -> dict[str, float]:
    start = {span.run: span.start_ms for span in group.spans}
    told = Counter(
        (alert.ts_event_ms - start[alert.run]) // _DAY_MS
        for alert in group.alerts
        if alert.budgeted
    )
    watched: Counter[int] = Counter()
    for span in group.spans:
        for day in range((span.end_ms - span.start_ms) // _DAY_MS):
            watched[day] += span.coins
    return {f"{day + 1}": told[day] / coins for day, coins in sorted(watched.items())}


def _placebo(result: Evaluation) -> str:
    body = [
        [each.detector, each.part, str(each.events), _number(each.recall), _number(each.by_chance)]
        for each in result.chances
        if each.data == PLACEBO
    ]
    said = (
        "<p>Liquidations at the times of others: what is found there is found by chance. "
        "Chance is the same alerts moved to other times of the run.</p>"
    )
    return said + table(["detector", "part", "events", "recall", "by chance"], body)


def _rows(rows: Iterable[Row]) -> str:
    head = [
        "detector", "part", "events", "alerts", "hits", "recall", "interval", "precision",
        "delay s", "USD to come", "days", "a day", "budget", *BASELINES,
    ]  # fmt: skip
    body: list[list[str]] = []
    for data, some in groupby(rows, key=lambda each: each.data):
        body.append([f"<b>{data}</b>"])
        body += [_cells(each) for each in some]
    return table(head, body)


def _cells(row: Row) -> list[str]:
    return [
        row.detector, row.part, str(row.events), str(row.alerts), str(row.hits),
        _number(row.recall), _interval(row.interval), _number(row.precision),
        _number(row.delay_s), _number(row.usd_still_to_come), f"{row.days:.1f}",
        _number(row.alerts_per_day), _number(row.budget_per_day),
        *(_number(row.baselines[name].recall) for name in BASELINES),
    ]  # fmt: skip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _interval(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"
