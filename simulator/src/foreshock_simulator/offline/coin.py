"""One coin of a run: its market's days as events of every venue, and its cascades."""

from collections.abc import Iterable
from typing import Final

from numpy.random import Generator

from foreshock_schemas.events import Event, Position
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.offline.bars import bars
from foreshock_simulator.offline.day import STEP_MS, Day, Recorder
from foreshock_simulator.offline.history import klines
from foreshock_simulator.offline.interest import Poll
from foreshock_simulator.offline.prints import Forced, forced, largest, shown, shuffle
from foreshock_simulator.offline.stats import Statistics
from foreshock_simulator.offline.troubles import Troubles
from foreshock_simulator.offline.truth import Cascade, Finder
from foreshock_simulator.offline.venues import VENUES

_KLINES, _FORCED, _BARS, _POLLS = range(4)
_STREAMS: Final = 4


class Coin:
    """Makes events of what its contract did; each kind has its own randomness."""

    def __init__(
        self, contract: Contract, troubles: Troubles, rng: Generator, *, shuffled: bool
    ) -> None:
        self.recorder = Recorder(contract)
        self.name = self.recorder.coin
        self.symbol = contract.profile.symbol
        self._contract = contract
        self._troubles = troubles
        self._shuffled = shuffled
        self._rngs = rng.spawn(_STREAMS)
        self._polls = [Poll(venue, troubles, self._rngs[_POLLS]) for venue in VENUES]
        self._statistics = Statistics(self.name, contract, VENUES)
        self._finder = Finder(self.name)

    def history(self, start_ms: int) -> Iterable[Event]:
        """Return the candles from before the run."""
        return klines(self._contract, VENUES, start_ms, self._rngs[_KLINES])

    def day(self, start_ms: int) -> tuple[list[Event], list[Cascade]]:
        """Return the events of the steps since the last day, and the cascades that are over."""
        day = self.recorder.take(start_ms)
        happened = forced(day, VENUES, self._rngs[_FORCED])
        cascades = self._cascades(day, happened)
        if self._shuffled:
            happened = shuffle(happened, day, self._rngs[_FORCED])
        events: list[Event] = [*self._statistics.day(day)]
        for place, (venue, poll) in enumerate(zip(VENUES, self._polls, strict=True)):
            told: list[Event] = []
            told += bars(day, venue, largest(happened, place, day), self._rngs[_BARS])
            told += shown(happened, place, day, venue, self._troubles, self._rngs[_FORCED])
            if self._troubles.outages:
                told = [e for e in told if not self._troubles.out(venue.name, e.ts_event_ms)]
            events += told
            events += poll.day(day)
        return events, cascades

    def end(self) -> list[Cascade]:
        """Return the cascades that were still going on."""
        return self._finder.rest()

    def _cascades(self, day: Day, happened: Forced) -> list[Cascade]:
        steps = (happened.at_ms - day.start_ms) // STEP_MS
        held_usd = day.interest[steps] * day.price[steps]
        columns = (happened.at_ms, happened.longs, happened.usd, held_usd, happened.induced)
        found = []
        for row in zip(*(column.tolist() for column in columns), strict=True):
            at_ms, longs, usd, interest_usd, induced = row
            side: Position = "long" if longs else "short"
            over = self._finder.closed(at_ms, side, usd, interest_usd, induced=induced)
            if over is not None:
                found.append(over)
        return found
