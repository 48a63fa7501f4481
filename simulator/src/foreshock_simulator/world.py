"""The market and the venues that show it, each its share."""

from collections.abc import Mapping, Sequence
from typing import Final

from foreshock_simulator.binance.venue import Binance
from foreshock_simulator.bybit.venue import Bybit
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.profiles import DEMO, Profile
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.market.shares import SHARES, Dealer
from foreshock_simulator.okx.venue import Okx
from foreshock_simulator.unrest import Unrest
from foreshock_simulator.venue.base import Venue

VENUES: Final[dict[str, type[Venue]]] = {each.name: each for each in (Binance, Bybit, Okx)}

_LONGEST_S: Final = 60.0
"""A step of the market: momentum that lasts ten minutes bears no longer ones."""


class World:
    """One market on several venues. `step` is told the time; it has no clock of its own."""

    def __init__(
        self,
        seed: int,
        now_ms: int,
        scenario: str = "demo",
        shares: Mapping[str, float] = SHARES,
        profiles: Sequence[Profile] = DEMO,
    ) -> None:
        self.now_ms = now_ms
        self.market = Market(seed, scenario, profiles)
        self.venues = {
            name: VENUES[name](self.market, share, seed, now_ms) for name, share in shares.items()
        }
        self._dealer = Dealer(seed, shares)
        self._unrest = Unrest(SCENARIOS[scenario], seed, self.venues)

    def step(self, now_ms: int, speed: float = 1.0) -> None:
        """Bring the market to `now_ms` and have the venues send what falls due until then.

        After a long pause, as of a machine that slept, the market goes on where it was.
        """
        before_ms, self.now_ms = self.now_ms, now_ms
        passed_s = min((now_ms - before_ms) / 1000 * speed, _LONGEST_S)
        dealt = self._dealer.deal(self.market.step(passed_s))
        self._unrest.step(self.market.now_s, self.market.shock)
        for name, steps in dealt.items():
            self.venues[name].show(steps, before_ms, now_ms)
