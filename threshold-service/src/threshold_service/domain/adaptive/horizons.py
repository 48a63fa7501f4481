"""How open interest changed over 1 to 60 minutes, and how much is usual for each of these times.

Slow build-ups are found by a CUSUM on either side (Page 1954).
"""

from collections.abc import Collection, Sequence
from math import copysign, log
from typing import Final

import msgspec

from threshold_service.domain.adaptive.polls import Polls
from threshold_service.domain.adaptive.scale import MAD_TO_SIGMA, Scale

MINUTES: Final = (1, 5, 15, 60)
"""The times over which a change is looked at."""

LEARNED: Final = 120
"""So many changes must have been seen before it is known what is usual."""

LEARNED_APART: Final = 24
"""So many of them must not overlap: over an hour that takes a day."""

LEAST_SHARE: Final = 0.5
"""This share of all open interest must be comparable, or a change says nothing of the coin."""

CUSUM_SLACK: Final = 1.0
"""Robust standard deviations that a change must exceed to add to a build-up."""

CUSUM_LIMIT: Final = 8.0
CLIP: Final = 4.0
"""The most that a single change adds: a jump is no build-up."""

ALWAYS_NEW_MIN: Final = 5
"""A change over more than this is told only while it goes on: most of it may have been told."""

SUDDEN_PART: Final = 0.5
"""What a deviation within a minute counts: a single order can make it.

One in ten thousand is 1.4 to 5 times as far out as one over 5 min in Hyperliquid's recorded
minutes, and 2.2 times in simulated ones.
"""

_CUSUM_MOST: Final = 2 * CUSUM_LIMIT
_HALF_LIFE_S: Final = 3 * 86_400.0
_RECENT_HALF_LIFE_S: Final = 3_600.0
_LEAST_MAD: Final = 1e-5
_HOURS: Final = 24
_HOUR_RATE: Final = 0.002
"""A minute's weight in what is usual at its hour of the day."""

_HOUR_LEAST: Final = 0.5
_HOUR_MOST: Final = 2.0


class Part(msgspec.Struct, frozen=True, gc=False):
    """One contract's coins at both ends."""

    contract: str
    then: float
    now: float

    @property
    def coins(self) -> float:
        """The difference."""
        return self.now - self.then


class Change(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A matched difference: over the contracts that are fresh at both ends; in coins."""

    minutes: int
    then: float
    now: float
    parts: tuple[Part, ...]

    @property
    def log(self) -> float:
        """The change as a log return."""
        return log(self.now / self.then)

    @property
    def share(self) -> float:
        """The change as a share of what was."""
        return self.now / self.then - 1


def matched(
    polls: dict[str, Polls], minute: int, minutes: int, leaving_out: Collection[str] = ()
) -> Change | None:
    """Return the change up to a minute; None where too little can be compared.

    A contract whose figure stood still for longer than `minutes` has no part in it.
    """
    fresh, then, comparable, parts = 0.0, 0.0, 0.0, []
    for contract, each in polls.items():
        now = each.at(minute)
        if now is None or contract in leaving_out:
            continue
        fresh += now
        before = each.at(minute - minutes)
        if before is not None and each.pace(minute - minutes) <= minutes:
            parts.append(Part(contract, before, now))
            then, comparable = then + before, comparable + now
    if not parts or comparable < LEAST_SHARE * fresh:
        return None
    return Change(minutes=minutes, then=then, now=comparable, parts=tuple(parts))


def going_on(changes: Sequence[Change]) -> list[Change]:
    """Return, of a minute's changes (shortest first), those that are not over.

    The latest part of a longer one, which is the next shorter change, must be as fast as the
    whole.
    """
    return [
        change
        for shorter, change in zip((None, *changes), changes, strict=False)
        if shorter is None or change.minutes <= ALWAYS_NEW_MIN or _is_as_fast(shorter, change)
    ]


def weight_of(minutes: int) -> float:
    """Return what a deviation over this time counts."""
    return SUDDEN_PART if minutes == MINUTES[0] else 1.0


class Usual(msgspec.Struct):
    """What changes are usual over each time and at each hour of the day, and slow build-ups.

    `recent` are those of the last hours: what was usual in them is usual, whatever the days before
    were like. `apart` counts the changes over each time that do not overlap, the last of which was
    in the stretch `ended`. `up` and `down` are CUSUMs of clipped deviations over the shortest time
    that can be compared.
    """

    scales: list[Scale] = msgspec.field(default_factory=lambda: _scales(_HALF_LIFE_S))
    recent: list[Scale] = msgspec.field(default_factory=lambda: _scales(_RECENT_HALF_LIFE_S))
    apart: list[int] = msgspec.field(default_factory=lambda: [0] * len(MINUTES))
    ended: list[int] = msgspec.field(default_factory=lambda: [0] * len(MINUTES))
    hours: list[float] = msgspec.field(default_factory=lambda: [1.0] * _HOURS)
    up: float = 0.0
    down: float = 0.0

    @property
    def learned(self) -> bool:
        """Whether it is known of any of these times what is usual."""
        return any(self._is_learned(at) for at in range(len(MINUTES)))

    def z(self, change: Change, minute: int) -> float:
        """Return a change in robust standard deviations; 0 while they are learned.

        They are those of its hour of the day or of the last hours, whichever make less of it; 0 as
        well if what is usual lies beyond it.
        """
        at = MINUTES.index(change.minutes)
        if not self._is_learned(at):
            return 0.0
        way = copysign(1.0, change.log)
        of_hour = self.scales[at].z(change.log) / self._hour(minute)
        of_late = self.recent[at].z(change.log)
        return way * max(0.0, min(way * of_hour, way * of_late))

    def sigma(self, minutes: int, minute: int) -> float:
        """Return the robust standard deviation that is usual at the hour, or was of late."""
        at = MINUTES.index(minutes)
        return MAD_TO_SIGMA * max(self.scales[at].mad * self._hour(minute), self.recent[at].mad)

    def cusum(self, sign: float) -> float:
        """Return the build-up in one direction; 0 below the limit."""
        total = self.up if sign > 0 else self.down
        return total if total >= CUSUM_LIMIT else 0.0

    def settle(self) -> None:
        """Begin the build-ups anew, once one was judged."""
        self.up = self.down = 0.0

    def learn(self, changes: list[Change], minute: int) -> None:
        """Learn from a minute's changes, shortest first."""
        for change in changes:
            at = MINUTES.index(change.minutes)
            self.scales[at].add(change.log, minute * 60_000)
            self.recent[at].add(change.log, minute * 60_000)
            self._count(at, minute // change.minutes)
        shortest = changes[0]
        if minute % shortest.minutes:
            return
        z = self.z(shortest, minute)
        clipped = copysign(min(abs(z), CLIP), z)
        self.up = min(max(0.0, self.up + clipped - CUSUM_SLACK), _CUSUM_MOST)
        self.down = min(max(0.0, self.down - clipped - CUSUM_SLACK), _CUSUM_MOST)
        hour = minute // 60 % _HOURS
        typical = min(abs(z) * self._hour(minute), CLIP)
        self.hours[hour] += _HOUR_RATE * shortest.minutes * (typical - self.hours[hour])

    def _is_learned(self, at: int) -> bool:
        return self.scales[at].samples >= LEARNED and self.apart[at] >= LEARNED_APART

    def _count(self, at: int, stretch: int) -> None:
        if stretch > self.ended[at]:
            self.ended[at] = stretch
            self.apart[at] += 1

    def _hour(self, minute: int) -> float:
        mean = sum(self.hours) / _HOURS
        share = self.hours[minute // 60 % _HOURS] / mean
        return min(max(share, _HOUR_LEAST), _HOUR_MOST)


def _scales(half_life_s: float) -> list[Scale]:
    return [Scale(half_life_s=half_life_s, least_mad=_LEAST_MAD) for _ in MINUTES]


def _is_as_fast(part: Change, whole: Change) -> bool:
    way = copysign(1.0, whole.share)
    return way * part.share / part.minutes >= abs(whole.share) / whole.minutes
