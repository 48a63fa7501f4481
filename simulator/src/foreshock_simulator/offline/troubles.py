"""What is wrong with the feeds of a run, and when."""

from collections.abc import Sequence
from typing import Final

from numpy.random import Generator

from foreshock_simulator.market.episodes import Episode, during, now_and_then
from foreshock_simulator.market.scenarios import OUT_MIN, Polls, Scenario
from foreshock_simulator.market.shock import Shock
from foreshock_simulator.offline.venues import VENUES, Terms

_LASTS_MIN: Final[dict[Polls, tuple[float, float]]] = {"multiplied": (1, 3), "frozen": (15, 45)}
_MULTIPLIED: Final = (1000.0, 0.001)
_HALVED: Final = 0.5


class Troubles:
    """A run's troubles, known from its scenario, its seed and its shocks."""

    def __init__(
        self,
        scenario: Scenario,
        shocks: Sequence[Shock],
        start_ms: int,
        span_s: float,
        rng: Generator,
    ) -> None:
        self.polls = scenario.polls
        self.outages: list[Episode] = []
        self._start_ms = start_ms
        self._throttled_ms = scenario.throttled_ms
        spans = [(shock.start_s, shock.end_s) for shock in shocks]
        self._throttled = [(0.0, span_s)] if scenario.throttled_always else spans
        names, pace = [venue.name for venue in VENUES], scenario.pace(span_s)
        if scenario.outages == "in shocks":
            self.outages = [Episode(str(rng.choice(names)), *span) for span in spans]
        elif scenario.outages == "now and then":
            self.outages = list(now_and_then(names, OUT_MIN, pace, rng))
        self._episodes: list[Episode] = []
        if lasts_min := _LASTS_MIN.get(scenario.polls):
            self._episodes = list(now_and_then(names, lasts_min, pace, rng))
        elif scenario.polls == "halved":
            self._episodes = [Episode(str(rng.choice(names)), span_s / 2, span_s)]
        self._factors = [float(rng.choice(_MULTIPLIED)) for _ in self._episodes]

    @property
    def poll_min(self) -> int:
        """How often open interest is asked for, in minutes."""
        return 5 if self.polls == "five minutes" else 1

    def span_ms(self, episode: Episode) -> tuple[int, int]:
        """Return when an episode begins and ends."""
        start_s, end_s = episode.start_s, episode.end_s
        return self._start_ms + round(1000 * start_s), self._start_ms + round(1000 * end_s)

    def out(self, venue: str, at_ms: int) -> bool:
        """Return whether a venue is out."""
        return bool(self.outages) and during(self.outages, venue, self._s(at_ms)) is not None

    def frozen(self, venue: str, at_ms: int) -> bool:
        """Return whether a venue goes on saying the last open interest."""
        return self.polls == "frozen" and during(self._episodes, venue, self._s(at_ms)) is not None

    def factor(self, venue: str, at_ms: int) -> float:
        """Return by how much a venue's open interest is wrong."""
        episode = during(self._episodes, venue, self._s(at_ms))
        if episode is None or self.polls == "frozen":
            return 1.0
        return _HALVED if self.polls == "halved" else self._factors[self._episodes.index(episode)]

    def changed_ms(self, venue: str, at_ms: int) -> int:
        """Return since when a venue counts open interest in another way; 0: as ever."""
        if self.polls != "halved" or during(self._episodes, venue, self._s(at_ms)) is None:
            return 0
        return self.span_ms(self._episodes[0])[0]

    def shows_every_ms(self, venue: Terms, at_ms: int) -> int:
        """Return in how many ms a venue shows one liquidation at a time; 0: it shows all."""
        at_s = self._s(at_ms)
        if self._throttled_ms and any(start <= at_s < end for start, end in self._throttled):
            return self._throttled_ms
        return venue.shows_every_ms

    def _s(self, at_ms: int) -> float:
        return (at_ms - self._start_ms) / 1000
