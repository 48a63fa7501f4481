"""Whether many coins fire at once: then it is the market's matter, told as one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from alert_router.domain.episode import Direction, Episode
from alert_router.domain.recent import Recent
from foreshock_schemas.events import Signal, SignalKind
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import MARKET

_WINDOW_MS: Final = 60_000
_NEAREST_FIRST: Final = (0, -1, 1, -2, 2)
"""Windows by which two readings of one burst may find its beginning apart."""
_REMEMBERED: Final = 1_000
_COINS: Final = 3
_OTHERS: Final = {"feed", "zone_warning", "market_wide"}
_OVER: Final = {"FADING", "ENDED"}


class Joined(msgspec.Struct, frozen=True):
    """The market-wide incident that a signal is part of, and whether it is told (anew)."""

    episode: Episode
    news: bool


class MarketWide:
    """Three coins within a minute, one way where they have one, are a market-wide incident.

    It follows from the signals in their order alone; their time is their own. What joined an
    incident opens no other. Its name is the minute of its first signal, and the way; an incident
    that `was_told` before we started goes on by the name it has, in whatever order its signals
    come now.
    """

    def __init__(self, was_told: Callable[[str], bool]) -> None:
        self._was_told = was_told
        self._opened: Recent[str, None] = Recent(_REMEMBERED)
        self._open: list[Episode] = []  # one a direction, at most
        self._alone: dict[tuple[str, SignalKind, Direction | None], Signal] = {}
        self._now_ms = 0

    def due(self, now_ms: int) -> list[Episode]:
        """Return the incidents that grew soon after they were told and are to be told anew."""
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
        """Return the incident that told of a signal's burst before, if it is not open yet."""
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
    """Yield what an incident may be called that began about then."""
    ways: Sequence[Direction | None] = (way, None) if way else (None, "up", "down")
    for windows in _NEAREST_FIRST:
        for one_way in ways:
            yield _incident_id(at_ms // _WINDOW_MS + windows, one_way)


def _incident_id(minute: int, way: Direction | None) -> str:
    return derived_id("incident", "market", minute, way or "")


def _key(signal: Signal) -> tuple[str, SignalKind, Direction | None]:
    return signal.coin, signal.kind, signal.direction


def _densest(signal: Signal, others: Sequence[Signal], way: Direction) -> list[Signal]:
    """Return the most coins that go one way within a window that this signal is in."""
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
    return signal.kind in _OTHERS or signal.coin == MARKET or signal.incident_state in _OVER
