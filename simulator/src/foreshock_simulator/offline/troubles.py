"""What is wrong with the feeds of a run, and when."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from numpy.random import Generator

from foreshock_simulator.market.scenarios import Scenario
from foreshock_simulator.market.shock import Shock
from foreshock_simulator.offline.venues import Terms

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_FIRST_MS: Final = 2 * _HOUR_MS
_BETWEEN_H: Final = (2.0, 5.0)
_OUT_MIN: Final = (10, 60)
_GLITCH_MIN: Final = (1, 3)
_FROZEN_MIN: Final = (15, 45)
_GLITCHES: Final = (1000.0, 0.001)


class Episode(msgspec.Struct, frozen=True):
    """One venue's trouble from `start_ms` until before `end_ms`."""

    venue: str
    start_ms: int
    end_ms: int
    factor: float = 1.0


class Troubles:
    """A run's troubles, known from its scenario, its seed and its shocks."""

    def __init__(
        self,
        scenario: Scenario,
        venues: Sequence[Terms],
        shocks: Sequence[Shock],
        span_ms: tuple[int, int],
        rng: Generator,
    ) -> None:
        start_ms, end_ms = span_ms
        self._throttled_ms = scenario.throttled_ms
        spans = [
            (start_ms + round(each.start_s * 1000), start_ms + round(each.end_s * 1000))
            for each in shocks
        ]
        self._throttled = [span_ms] if scenario.throttled_always else spans
        names = [venue.name for venue in venues]
        self.outages: list[Episode] = []
        if scenario.outages == "in shocks":
            self.outages = [Episode(str(rng.choice(names)), *span) for span in spans]
        elif scenario.outages == "now and then":
            self.outages = list(_now_and_then(names, _OUT_MIN, span_ms, rng))
        self.multiplied: list[Episode] = []
        self.frozen: list[Episode] = []
        if scenario.polls == "multiplied":
            self.multiplied = [
                msgspec.structs.replace(each, factor=float(rng.choice(_GLITCHES)))
                for each in _now_and_then(names, _GLITCH_MIN, span_ms, rng)
            ]
        elif scenario.polls == "frozen":
            self.frozen = list(_now_and_then(names, _FROZEN_MIN, span_ms, rng))
        self.halved: Episode | None = None
        if scenario.polls == "halved":
            middle = (start_ms + end_ms) // 2
            self.halved = Episode(str(rng.choice(names)), middle, end_ms, 0.5)
        self.poll_min = 5 if scenario.polls == "five minutes" else 1

    def out(self, venue: str, at_ms: int) -> Episode | None:
        """Return the outage of a venue at a time, if there is one."""
        return during(self.outages, venue, at_ms)

    def shows_every_ms(self, venue: Terms, at_ms: int) -> int:
        """Return in how many ms a venue shows one liquidation at a time; 0: it shows all."""
        if self._throttled_ms and any(start <= at_ms < end for start, end in self._throttled):
            return self._throttled_ms
        return venue.shows_every_ms


def during(episodes: Sequence[Episode], venue: str, at_ms: int) -> Episode | None:
    """Return the episode of a venue at a time, if there is one."""
    return next((e for e in episodes if e.venue == venue and e.start_ms <= at_ms < e.end_ms), None)


def _now_and_then(
    names: Sequence[str], lasts_min: tuple[int, int], span_ms: tuple[int, int], rng: Generator
) -> Iterator[Episode]:
    at_ms = span_ms[0] + _FIRST_MS
    while True:
        end_ms = at_ms + int(rng.integers(lasts_min[0], lasts_min[1] + 1)) * _MINUTE_MS
        if end_ms >= span_ms[1]:
            return
        yield Episode(str(rng.choice(list(names))), at_ms, end_ms)
        at_ms = end_ms + round(float(rng.uniform(*_BETWEEN_H)) * _HOUR_MS)
