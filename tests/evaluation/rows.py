"""The table of results: a row per data set, part and detector, from the lines alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec
import numpy as np
from evaluation.intervals import Counts, Interval, of_share
from evaluation.lines import DETECTORS, Alert, Detector, Happening, Part, Span
from evaluation.matching import Match, matches

from threshold_service.domain.world import BUDGETS

BUDGET: Final[dict[Detector, float]] = {
    "volume": BUDGETS["volume_spike"],
    "open-interest": BUDGETS["oi_explosion"],
    "liquidation": BUDGETS["liquidation"],
}
"""Alerts a day and coin; confirmed cascades and market-wide alerts have no budget."""

_HOUR_MS: Final = 3_600_000

Key = tuple[str, Part, Detector]


class BaselineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A baseline on the same stream, scaled to as many alerts."""

    alerts: int
    recall: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector did in one part of the data; None where a figure has no meaning.

    `interval` is the 95 % interval of recall. `days` are days x coins. `alerts_per_day` counts
    what the budget pays for, per coin, as `budget_per_day` does. `delay_s` is the median from
    onset to alert, `usd_still_to_come` the mean share of an event's USD after its alert.
    """

    data: str
    part: Part
    detector: Detector
    events: int
    alerts: int
    hits: int
    recall: float | None
    precision: float | None
    interval: Interval | None
    days: float
    alerts_per_day: float
    budget_per_day: float | None
    delay_s: float | None
    usd_still_to_come: float | None
    baselines: dict[str, BaselineRow]


class Group(msgspec.Struct, frozen=True):
    """The lines of one row."""

    events: list[Happening]
    alerts: list[Alert]
    spans: list[Span]

    @property
    def matches(self) -> list[Match]:
        """The events that were found, with their alerts."""
        return matches(self.events, self.alerts)

    def hours(self, lines: Iterable[Alert | Happening]) -> Counts:
        """Return how many of these lines lie in each hour of the runs, one run after the other."""
        first: dict[str, int] = {}
        total = 0
        for span in self.spans:
            first[span.run] = total - span.start_ms // _HOUR_MS
            total += span.end_ms // _HOUR_MS - span.start_ms // _HOUR_MS + 1
        counts = np.zeros(total)
        for line in lines:
            counts[first[line.run] + line.ts_event_ms // _HOUR_MS] += 1
        return counts


def groups(
    spans: Iterable[Span], events: Iterable[Happening], alerts: Iterable[Alert]
) -> dict[Key, Group]:
    """Return the lines by row; what counts neither way is in none."""
    found: defaultdict[Key, Group] = defaultdict(lambda: Group([], [], []))
    for span in spans:
        found[span.data, span.part, span.detector].spans.append(span)
    for event in events:
        if event.part != "neither":
            found[event.data, event.part, event.detector].events.append(event)
    for alert in alerts:
        if alert.part != "neither":
            found[alert.data, alert.part, alert.detector].alerts.append(alert)
    return dict(sorted(found.items(), key=lambda item: (*item[0][:2], DETECTORS.index(item[0][2]))))


def row(key: Key, group: Group, baselines: dict[str, BaselineRow]) -> Row:
    """Return the row of a group of lines."""
    data, part, detector = key
    found, events, alerts = group.matches, group.events, group.alerts
    days = sum(span.days for span in group.spans)
    budgeted = sum(alert.budgeted for alert in alerts) if detector in BUDGET else len(alerts)
    return Row(
        data=data,
        part=part,
        detector=detector,
        events=len(events),
        alerts=len(alerts),
        hits=len(found),
        recall=_share(len(found), len(events)),
        precision=_share(len(found), len(alerts)),
        interval=of_share(group.hours(match.event for match in found), group.hours(events)),
        days=round(days, 4),
        alerts_per_day=round(budgeted / days, 4),
        budget_per_day=BUDGET.get(detector),
        delay_s=_rounded(median(match.delay_s for match in found)) if found else None,
        usd_still_to_come=_still_to_come(found),
        baselines=baselines,
    )


def _share(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _still_to_come(found: Sequence[Match]) -> float | None:
    shares = [share for match in found if (share := match.usd_still_to_come) is not None]
    return _rounded(sum(shares) / len(shares)) if shares else None


def _rounded(value: float) -> float:
    return round(value, 4)
