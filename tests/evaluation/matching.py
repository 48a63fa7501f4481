"""Which alert tells of which event: one alert for one event, by time.

An event is found if an alert lies between its onset and its end, tolerances included. A second
alert on the same event finds nothing: it counts as an alert, and so against the precision.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Final, TypeVar

import msgspec
from evaluation.lines import Alert, Detector, Happening

L = TypeVar("L", Alert, Happening)

TOLERANCE_S: Final[dict[Detector, int]] = {
    "liquidation": 60,
    "cascade": 60,
    "volume": 120,
    "open-interest": 300,
    "market-wide": 120,
}
"""How long after an event's end an alert still tells of it: windows, bars and polls take time."""

EARLY_S: Final[dict[Detector, int]] = {"cascade": 60}
"""How long before its onset: the liquidations that set a cascade off are not part of it."""


class Match(msgspec.Struct, frozen=True):
    """An event and the alert that found it."""

    event: Happening
    alert: Alert

    @property
    def delay_s(self) -> float:
        """From the onset to when the alert could be told; below 0 if it came before."""
        return (self.alert.ts_recv_ms - self.event.ts_event_ms) / 1000

    @property
    def usd_still_to_come(self) -> float | None:
        """The share of the event's USD that came after the alert; None where it has no course."""
        total = sum(usd for _, usd in self.event.course)
        if not total:
            return None
        return sum(usd for at_s, usd in self.event.course if at_s > self.delay_s) / total


def matches(events: Iterable[Happening], alerts: Iterable[Alert]) -> list[Match]:
    """Return the largest set of pairs, in the order of the alerts.

    Each alert, in the order of time, goes to the open event that ends first: no other choice finds
    more events.
    """
    told = _grouped(alerts)
    found: list[Match] = []
    for key, group in _grouped(events).items():
        found += _matches_of(group, told.get(key, []))
    return sorted(found, key=lambda match: match.alert.ts_event_ms)


def covers(event: Happening, alert: Alert) -> bool:
    """Return whether an alert lies within an event's range, its tolerances included."""
    late_ms = 1000 * TOLERANCE_S[event.detector]
    return _from_ms(event) <= alert.ts_event_ms <= event.end_ms + late_ms


def key_of(line: Alert | Happening) -> tuple[str, ...]:
    """Return what an alert and an event must have in common; of cascades the side as well."""
    side = line.position or "" if line.detector == "cascade" else ""
    return line.data, line.run, line.detector, line.coin, side


def _from_ms(event: Happening) -> int:
    return event.ts_event_ms - 1000 * EARLY_S.get(event.detector, 0)


def _matches_of(events: Sequence[Happening], alerts: Sequence[Alert]) -> list[Match]:
    found: list[Match] = []
    coming = deque(sorted(events, key=_from_ms))
    free: list[tuple[int, int, Happening]] = []
    for alert in sorted(alerts, key=lambda alert: alert.ts_event_ms):
        while coming and _from_ms(coming[0]) <= alert.ts_event_ms:
            event = coming.popleft()
            heappush(free, (event.end_ms, len(coming), event))
        while free and not covers(free[0][2], alert):
            heappop(free)
        if free:
            found.append(Match(heappop(free)[2], alert))
    return found


def _grouped(lines: Iterable[L]) -> dict[tuple[str, ...], list[L]]:
    groups: defaultdict[tuple[str, ...], list[L]] = defaultdict(list)
    for line in lines:
        groups[key_of(line)].append(line)
    return groups
