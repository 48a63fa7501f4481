"""A whole run: a scenario's market, day by day, as the venues would have told it."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

import numpy as np

from foreshock_schemas.events import Event
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.profiles import Profile
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.offline.coin import Coin
from foreshock_simulator.offline.day import STEP_S
from foreshock_simulator.offline.health import health
from foreshock_simulator.offline.troubles import Troubles
from foreshock_simulator.offline.truth import Truth
from foreshock_simulator.offline.venues import VENUES

_DAY_S: Final = 86_400
_DAY_MS: Final = 1000 * _DAY_S
_SETTLES_S: Final = 43_200
_FRIDAY: Final = 1
_received = attrgetter("ts_recv_ms")

START_MS: Final = 1_780_272_000_000
"""Monday, 1 June 2026, 00:00 UTC."""

LARGE: Final = Profile(
    base="BTC",
    price=83_400.0,
    decimals=1,
    lot_decimals=3,
    daily_usd=21e9,
    held_usd=2e9,
    supply=1.99e7,
    volatility=0.03,
    trades_per_s=40,
    accounts=62_000,
)
"""The market that the model was measured on."""


def simulate(
    scenario: str,
    seed: int,
    days: float,
    start_ms: int = START_MS,
    profiles: Sequence[Profile] = (LARGE,),
) -> "Run":
    """Return the events of a scenario in the order in which they are received.

    The truth is complete once the last event was taken. The same arguments give the same run.

    Raises:
        KeyError: There is no such scenario.
    """
    return Run(scenario, seed, days, start_ms, profiles)


class Run:
    """The events of some days, to be taken once, and the truth about them."""

    def __init__(
        self, scenario: str, seed: int, days: float, start_ms: int, profiles: Sequence[Profile]
    ) -> None:
        self.truth = Truth()
        self._scenario = SCENARIOS[scenario]
        if self._scenario.starts_on_friday:
            start_ms += (_FRIDAY - start_ms // _DAY_MS) % 7 * _DAY_MS
        self.start_ms = start_ms
        self.end_ms = start_ms + round(days * _DAY_MS)
        span_s = days * _DAY_S
        self._market = Market(seed, scenario, profiles, start_ms, span_s)
        pace = self._scenario.pace(span_s)
        shocks = list(self._scenario.shocks(seed, tuple(self._market.contracts), pace))
        rngs = np.random.default_rng([seed, 5]).spawn(1 + len(profiles))
        self._troubles = Troubles(self._scenario, shocks, start_ms, span_s, rngs[0])
        self._coins = [
            Coin(contract, self._troubles, rng, shuffled=self._scenario.shuffled)
            for contract, rng in zip(self._market.contracts.values(), rngs[1:], strict=True)
        ]
        for coin in self._coins:
            self.truth.plant(coin.name, coin.symbol, shocks, start_ms)
        self._events = self._all()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def _all(self) -> Iterator[Event]:
        market = self._market
        market.now_s = -float(_SETTLES_S)
        while market.now_s < 0:
            market.advance(STEP_S)
        waiting: list[Event] = []
        for coin in self._coins:
            waiting += coin.history(self.start_ms)
        for start_ms in range(self.start_ms, self.end_ms, _DAY_MS):
            end_ms = min(start_ms + _DAY_MS, self.end_ms)
            waiting += self._day(start_ms, end_ms)
            waiting.sort(key=_received)
            place = next((n for n, e in enumerate(waiting) if e.ts_recv_ms >= end_ms), len(waiting))
            ready, waiting = waiting[:place], waiting[place:]
            yield from ready
        yield from waiting
        for coin in self._coins:
            self.truth.cascades += coin.end()
        self.truth.cascades.sort(key=attrgetter("onset_ms"))

    def _day(self, start_ms: int, end_ms: int) -> list[Event]:
        for _ in range((end_ms - start_ms) // (1000 * STEP_S)):
            flows = self._market.advance(STEP_S)
            for coin in self._coins:
                coin.recorder.note(flows[coin.symbol])
        events: list[Event] = []
        for coin in self._coins:
            told, cascades = coin.day(start_ms)
            events += told
            self.truth.cascades += cascades
        for venue in VENUES:
            events += health(venue, self._troubles, (start_ms, end_ms), self.start_ms)
        return events
