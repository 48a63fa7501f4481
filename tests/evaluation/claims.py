"""What is claimed of all scenarios together, with intervals, and what chance would find."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec
import numpy as np
from evaluation.intervals import RESAMPLES, Counts, Interval, of_ratio, of_share
from evaluation.lines import Alert, Span
from evaluation.matching import matches
from evaluation.rows import Group, Key

POOLED: Final = tuple(f"simulator:{name}" for name in ("jump", "squeeze", "cascade", "crash"))
"""The scenarios with cascades enough to claim anything."""

_SHIFTS: Final = 50
"""How often alerts are moved to find what chance gives."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over several rows, with its 95 % interval where it has one."""

    name: str
    events: int
    value: float | None
    interval: Interval | None


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """A row's recall beside that of its own alerts at other times of the same runs."""

    data: str
    part: str
    detector: str
    events: int
    recall: float
    by_chance: float


def claims(groups: dict[Key, Group], told: dict[Key, dict[str, list[Alert]]]) -> list[Claim]:
    """Return the claims about held-out scenarios."""
    volume = {key: group for key, group in groups.items() if _is(key, "volume", None)}
    cascade = [group for key, group in groups.items() if _is(key, "cascade", POOLED)]
    return [*_against_prd(volume, told), *_cascades(cascade)]


def chances(groups: dict[Key, Group]) -> list[Chance]:
    """Return recall and recall by chance of every row that has events."""
    return [
        Chance(
            data=data,
            part=part,
            detector=detector,
            events=len(group.events),
            recall=round(len(group.matches) / len(group.events), 4),
            by_chance=round(by_chance(group), 4),
        )
        for (data, part, detector), group in groups.items()
        if group.events
    ]


def by_chance(group: Group) -> float:
    """Return the mean recall of the same alerts at other times: each run's are shifted circularly.

    The time by which they are shifted is drawn for each run; the draws are always the same.
    """
    random = np.random.default_rng(1994)
    spans = {span.run: span for span in group.spans}
    hits = 0
    for _ in range(_SHIFTS):
        shift = {run: random.random() for run in spans}
        moved = [_moved(alert, spans[alert.run], shift[alert.run]) for alert in group.alerts]
        hits += len(matches(group.events, moved))
    return hits / _SHIFTS / len(group.events)


def _moved(alert: Alert, span: Span, share: float) -> Alert:
    length_ms = span.end_ms - span.start_ms
    at_ms = (alert.ts_event_ms - span.start_ms + int(share * length_ms)) % length_ms
    return msgspec.structs.replace(alert, ts_event_ms=span.start_ms + at_ms)


def _is(key: Key, detector: str, data: Sequence[str] | None) -> bool:
    name, part, of = key
    among = name.startswith("simulator:") if data is None else name in data
    return of == detector and part == "held-out" and among


def _against_prd(groups: dict[Key, Group], told: dict[Key, dict[str, list[Alert]]]) -> list[Claim]:
    if not groups:
        return []
    ours, theirs, events = (
        np.concatenate(each)
        for each in zip(
            *(_by_hour(group, told[key]["prd"]) for key, group in groups.items()), strict=True
        )
    )
    total, found, prd = int(events.sum()), float(ours.sum()), float(theirs.sum())
    if not total:
        return []
    return [
        _claim("volume recall", total, found, total, of_share(ours, events)),
        _claim("volume recall of the PRD's rule", total, prd, total, of_share(theirs, events)),
        _claim("volume recall / the PRD's", total, found, prd, of_ratio(ours, theirs)),
    ]


def _by_hour(group: Group, told: Iterable[Alert]) -> tuple[Counts, Counts, Counts]:
    return (
        group.hours(match.event for match in group.matches),
        group.hours(match.event for match in matches(group.events, told)),
        group.hours(group.events),
    )


def _cascades(groups: Sequence[Group]) -> list[Claim]:
    if not any(group.matches for group in groups):
        return []
    hits = np.concatenate([group.hours(match.event for match in group.matches) for group in groups])
    good = np.concatenate([group.hours(match.alert for match in group.matches) for group in groups])
    events = np.concatenate([group.hours(group.events) for group in groups])
    alerts = np.concatenate([group.hours(group.alerts) for group in groups])
    delays = [match.delay_s for group in groups for match in group.matches]
    total = int(events.sum())
    return [
        _claim("cascade recall", total, hits.sum(), total, of_share(hits, events)),
        _claim("cascade precision", total, good.sum(), alerts.sum(), of_share(good, alerts)),
        _claim("cascade delay_s, median", total, median(delays), 1, _of_median(delays)),
    ]


def _of_median(values: Sequence[float]) -> Interval:
    random = np.random.default_rng(1994)
    drawn = np.median(random.choice(values, size=(RESAMPLES, len(values))), axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def _claim(name: str, events: int, above: float, below: float, interval: Interval | None) -> Claim:
    value = round(float(above) / float(below), 4) if below else None
    return Claim(name=name, events=events, value=value, interval=interval)
