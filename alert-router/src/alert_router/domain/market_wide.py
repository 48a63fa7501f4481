"""Whether many coins fire at once: that is one market-wide incident, told as one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from alert_router.domain.episode import Direction, Episode
from alert_router.domain.news import OVER
from alert_router.domain.recent import Recent
from foreshock_schemas.events import Signal, SignalKind
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import MARKET

_WINDOW_MS: Final = 60_000
_NEAREST_FIRST: Final = (0, -1, 1, -2, 2)
"""By how many windows a burst may begin elsewhere when its signals are read in another order."""
_REMEMBERED: Final = 1_000
_COINS: Final = 3
_APART: Final = {"feed", "zone_warning", "market_wide"}


class Joined(msgspec.Struct, frozen=True):
    """The market-wide incident that a signal is part of, and whether it is told (anew)."""

    episode: Episode
    news: bool


class MarketWide:
    """Three coins within a minute, of one direction where they have one, are an incident.

    It follows from the signals and their order alone, by their own time. A signal that joined an
    incident opens no other. The id is made of the minute of the first signal, and the direction.
    An incident that `was_told` before a restart keeps its id, in whatever order its signals come
    now.
    """

    def __init__(self, was_told: Callable[[str], bool]) -> None:
        self._was_told = was_told
        self._opened: Recent[str, None] = Recent(_REMEMBERED)
        self._open: list[Episode] = []  # one a direction, at most
        self._alone: dict[tuple[str, SignalKind, Direction | None], Signal] = {}
        self._now_ms = 0

    def due(self, now_ms: int) -> list[Episode]:
        """Return the incidents to tell anew: they grew within a minute of being told."""
        return [episode for episode in self._open if episode.catch_up(now_ms)]

    def take(self, signal: Signal) -> Joined | None:
        """Return the incident that a signal opens or joins, if it does."""
        if _is_apart(signal):
            return None
        self._now_ms = max(self._now_ms, signal.ts_event_ms)
        self._open = [each for each in self._open if each.ends_ms >= self._now_ms]
        for episode in reversed(self._open):
            if episode.takes(signal):
                episode.add(signal)
                return Joined(episode, episode.revise(signal.ts_event_ms))
        together = self._gather(signal)
        if not together:
            return None
        way = next((each.direction for each in together if each.direction), None)
        start_ms = min(each.ts_event_ms for each in together)
        incident_id = self._told_about(start_ms, way) or _incident_id(start_ms // _WINDOW_MS, way)
        self._opened[incident_id] = None
        self._open.append(Episode(incident_id, together))
        return Joined(self._open[-1], news=True)

    def foretold(self, signal: Signal) -> str | None:
        """Return the id of an incident told before a restart that is not open again yet."""
        return None if _is_apart(signal) else self._told_about(signal.ts_event_ms, signal.direction)

    def _told_about(self, at_ms: int, way: Direction | None) -> str | None:
        told = (
            each for each in _names(at_ms, way) if each not in self._opened and self._was_told(each)
        )
        return next(told, None)

    def _gather(self, signal: Signal) -> list[Signal]:
        """Return the signals that make a market-wide incident with this one, this one last."""
        oldest_ms = self._now_ms - 2 * _WINDOW_MS
        self._alone = {k: s for k, s in self._alone.items() if s.ts_event_ms >= oldest_ms}
        ways: Sequence[Direction] = (signal.direction,) if signal.direction else ("up", "down")
        groups = [_densest(signal, list(self._alone.values()), way) for way in ways]
        together = max(groups, key=_coins)
        if _coins(together) < _COINS:
            self._alone[_key(signal)] = signal
            return []
        for each in together:
            self._alone.pop(_key(each), None)
        return together


def _names(at_ms: int, way: Direction | None) -> Iterator[str]:
    """Yield the ids that an incident which began about then may have."""
    ways: Sequence[Direction | None] = (way, None) if way else (None, "up", "down")
    for windows in _NEAREST_FIRST:
        for one_way in ways:
            yield _incident_id(at_ms // _WINDOW_MS + windows, one_way)


def _incident_id(minute: int, way: Direction | None) -> str:
    return derived_id("incident", "market", minute, way or "")


def _key(signal: Signal) -> tuple[str, SignalKind, Direction | None]:
    return signal.coin, signal.kind, signal.direction


def _densest(signal: Signal, others: Sequence[Signal], way: Direction) -> list[Signal]:
    """Return the signals of the window around this one that has most coins of one direction."""
    at_ms = signal.ts_event_ms
    near = [
        each
        for each in others
        if each.direction in (None, way) and abs(each.ts_event_ms - at_ms) <= _WINDOW_MS
    ]
    near.sort(key=lambda each: each.ts_event_ms)
    starts = [each.ts_event_ms for each in near if each.ts_event_ms < at_ms] + [at_ms]
    windows = [
        [*(each for each in near if 0 <= each.ts_event_ms - start <= _WINDOW_MS), signal]
        for start in starts
    ]
    return max(windows, key=_coins)


def _coins(signals: Sequence[Signal]) -> int:
    return len({each.coin for each in signals})


def _is_apart(signal: Signal) -> bool:
    return signal.kind in _APART or signal.coin == MARKET or signal.incident_state in OVER
