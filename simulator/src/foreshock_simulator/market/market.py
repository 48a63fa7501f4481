"""All contracts together, under one market-wide mood and one scenario."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np

from foreshock_simulator.market.contract import Contract, Flow
from foreshock_simulator.market.profiles import DEMO, Profile
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.market.seasons import ALWAYS, Calendar, Season
from foreshock_simulator.market.shock import STILL, Push
from foreshock_simulator.market.trades import Step

_MS: Final = 1000

_T = TypeVar("_T")


class Market:
    """A simulated market. The same seed, scenario and steps give the same trades.

    It begins at `start_ms` by the calendar. One that lasts `span_s` goes at its own pace, one
    without an end at that of somebody who watches.
    """

    def __init__(
        self,
        seed: int,
        scenario_name: str = "demo",
        profiles: Sequence[Profile] = DEMO,
        start_ms: int = 0,
        span_s: float | None = None,
    ) -> None:
        self.now_s = 0.0
        scenario = SCENARIOS[scenario_name]
        self._seed = seed
        self._start_ms = start_ms
        self._conditions = scenario.weather(span_s)
        self._calendar = Calendar()
        self.contracts: dict[str, Contract] = {}
        for profile in profiles:
            self.list(profile)
        self._rng = np.random.default_rng([seed, 3])
        self._coming = scenario.shocks(seed, tuple(self.contracts), scenario.pace(span_s))
        self.shock = next(self._coming, None)

    def list(self, profile: Profile) -> Contract:
        """Return the contract of a profile; from now on it is traded, if it was not."""
        if profile.symbol not in self.contracts:
            rng = np.random.default_rng([self._seed, 2, len(self.contracts)])
            self.contracts[profile.symbol] = Contract(profile, rng, self._conditions)
        return self.contracts[profile.symbol]

    def step(self, dt: float) -> dict[str, Step]:
        """Let `dt` seconds pass; return every trade and liquidation, by symbol."""
        return self._each(dt, Contract.step)

    def advance(self, dt: float) -> dict[str, Flow]:
        """Let `dt` seconds pass; return what each contract did in sum, by symbol."""
        return self._each(dt, Contract.advance)

    def _each(
        self, dt: float, go: Callable[[Contract, float, float, Push, Season], _T]
    ) -> dict[str, _T]:
        common, season = float(self._rng.standard_normal()), self._season()
        told = {
            symbol: go(contract, dt, common, self._push(contract.profile, dt), season)
            for symbol, contract in self.contracts.items()
        }
        self.now_s += dt
        if self.shock is not None and self.now_s >= self.shock.end_s:
            self.shock = next(self._coming, None)
        return told

    def _season(self) -> Season:
        if not self._conditions.seasonal:
            return ALWAYS
        return self._calendar.at(self._start_ms + int(self.now_s * _MS))

    def _push(self, profile: Profile, dt: float) -> Push:
        if self.shock is None:
            return STILL
        return self.shock.push(profile.symbol, profile.volatility, self.now_s, dt)
