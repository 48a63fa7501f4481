"""How much is traded in a step, and how much of it takers bought."""

import math
from typing import Final

import msgspec
from numpy.random import Generator

from foreshock_simulator.market.profiles import Profile

_DAY_S: Final = 86_400.0
_MOOD_REVERTS_S: Final = 600.0
_MOOD_SD: Final = 0.3
_LEVEL_VARIANCE: Final = 0.54**2
_BUSIEST: Final = 6.0
_LUMPS_PER_S: Final = 0.4


class Traded(msgspec.Struct, frozen=True, gc=False):
    """USD traded in a step, and how much of it takers bought."""

    usd: float
    bought_usd: float


class Volume:
    """The volume of one contract; openings and exits are part of it.

    It follows the calendar, how volatile the hours are, how far the price moved just now, and
    a mood of some minutes; the mean is the profile's.
    """

    def __init__(self, profile: Profile, rng: Generator) -> None:
        self._profile = profile
        self._rng = rng
        self._mood = 0.0

    def of(self, dt: float, times: float, level: float, move: float, momentum: float) -> Traded:
        """Return what is traded in `dt` seconds.

        `times` is the season's factor and any planted one; `level` the log volatility's.
        """
        rng, profile = self._rng, self._profile
        first, second = rng.standard_normal(2).tolist()
        self._mood += (
            -self._mood * dt / _MOOD_REVERTS_S
            + _MOOD_SD * math.sqrt(2 * dt / _MOOD_REVERTS_S) * first
        )
        usual = profile.volatility * math.sqrt(dt / _DAY_S)
        moves = move / usual
        activity = min(_BUSIEST, 0.84 + 0.2 * abs(moves))
        state = math.exp(level / 2 - _LEVEL_VARIANCE / 8 + self._mood - _MOOD_SD**2 / 2)
        lumps = max(1.0, _LUMPS_PER_S * dt)
        uneven = rng.standard_gamma(lumps) / lumps
        usd = profile.daily_usd * dt / _DAY_S * times * activity * state * uneven
        share = 0.5 + 0.1 * math.tanh(momentum) + 0.1 * math.tanh(moves / 2) + 0.1 * second
        return Traded(usd, usd * max(0.02, min(0.98, share)))
