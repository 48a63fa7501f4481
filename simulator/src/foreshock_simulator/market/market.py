"""All contracts together, under one market-wide mood and one scenario."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from foreshock_simulator.market import scenario
from foreshock_simulator.market.contract import Contract, Step
from foreshock_simulator.market.profiles import DEMO, Profile
from foreshock_simulator.market.scenario import Shock

SCENARIOS: Final[dict[str, Callable[[int, tuple[str, ...]], Iterator[Shock]]]] = {
    "demo": scenario.demo,
    "calm": scenario.calm,
}


class Market:
    """A simulated market. The same seed, scenario and steps give the same trades."""

    def __init__(
        self, seed: int, scenario_name: str = "demo", profiles: Sequence[Profile] = DEMO
    ) -> None:
        self.now_s = 0.0
        self._seed = seed
        self.contracts: dict[str, Contract] = {}
        for profile in profiles:
            self.list(profile)
        self._rng = np.random.default_rng([seed, 3])
        self._coming = SCENARIOS[scenario_name](seed, tuple(self.contracts))
        self._shock = next(self._coming, None)

    def list(self, profile: Profile) -> Contract:
        """Return the contract of a profile; from now on it is traded, if it was not."""
        if profile.symbol not in self.contracts:
            rng = np.random.default_rng([self._seed, 2, len(self.contracts)])
            self.contracts[profile.symbol] = Contract(profile, rng)
        return self.contracts[profile.symbol]

    def step(self, dt: float) -> dict[str, Step]:
        """Let `dt` seconds pass; return what each contract shows, by symbol."""
        common = float(self._rng.standard_normal())
        steps = {
            symbol: contract.step(dt, common, self._push(contract.profile, dt))
            for symbol, contract in self.contracts.items()
        }
        self.now_s += dt
        shock = self._shock
        if shock is not None and self.now_s >= shock.start_s + shock.lasts_s:
            self._shock = next(self._coming, None)
        return steps

    def _push(self, profile: Profile, dt: float) -> float:
        if self._shock is None:
            return 0.0
        return self._shock.push(profile.symbol, profile.volatility, self.now_s, dt)
