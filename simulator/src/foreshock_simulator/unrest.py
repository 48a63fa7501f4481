"""What goes wrong at the venues of a scenario while they are served."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from foreshock_simulator.market.conditions import WATCHED_FASTER
from foreshock_simulator.market.episodes import Episode, now_and_then
from foreshock_simulator.market.scenarios import OUT_MIN, Scenario
from foreshock_simulator.market.shock import Shock
from foreshock_simulator.venue.base import Venue

_NEVER: Final = Episode("", float("inf"), float("inf"))


class Unrest:
    """Throttles venues and takes one out, when the scenario says so. It is told the time."""

    def __init__(self, scenario: Scenario, seed: int, venues: Mapping[str, Venue]) -> None:
        self._scenario = scenario
        self._venues = venues
        self._rng = np.random.default_rng([seed, 6])
        self._coming: Iterator[Episode] = iter(())
        if scenario.outages == "now and then":
            lasts_min = (OUT_MIN[0] / WATCHED_FASTER, OUT_MIN[1] / WATCHED_FASTER)
            pace = scenario.pace(None)
            self._coming = now_and_then(tuple(venues), lasts_min, pace, self._rng)
        self._outage = next(self._coming, _NEVER)
        self._shock: Shock | None = None

    def step(self, now_s: float, shock: Shock | None) -> None:
        """Bring the venues to what is wrong at `now_s`, with the shock that is on or to come."""
        shaken = shock is not None and shock.start_s <= now_s
        throttled = self._scenario.throttled_always or shaken
        for venue in self._venues.values():
            venue.window.throttled_ms = self._scenario.throttled_ms if throttled else 0
        if shaken and shock is not None and shock is not self._shock:
            self._shock = shock
            self._take_out(shock)
        if now_s >= self._outage.end_s:
            self._venues[self._outage.venue].down = False
            self._outage = next(self._coming, _NEVER)
        elif now_s >= self._outage.start_s and not self._venues[self._outage.venue].down:
            self._venues[self._outage.venue].go_down()

    def _take_out(self, shock: Shock) -> None:
        if self._scenario.outages == "in shocks":
            venue = str(self._rng.choice(list(self._venues)))
            self._outage = Episode(venue, shock.start_s, shock.end_s)
