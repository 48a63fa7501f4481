"""What orders do to the price: of forced ones a part passes, by a square root, and a part stays."""

import math
from typing import Final

from foreshock_simulator.market.conditions import Conditions

_PERMANENT: Final = 0.35 * 6
_ORDINARY: Final = 0.15 * 6
_DEEP: Final = 4.0
"""USD a day that bear impact, per USD of open interest."""


class Impact:
    """Of one contract, whose day moves by `volatility` and which holds `held_usd`.

    A day's volume of forced orders at once would move the price by about a day's volatility.
    """

    def __init__(self, volatility: float, held_usd: float, on: Conditions) -> None:
        self.stays = 0.0
        self.passes = 0.0
        self._volatility = volatility
        self._scale = on.impact * volatility / on.depth
        self._fades_s = on.fades_s
        self._deep_usd = _DEEP * held_usd
        self._flow = 0.0

    def take(self, flow_usd: float, dt: float, depth: float) -> float:
        """Take forced buying (above 0) or selling; return the log return that stays of it.

        `depth` is how much of the usual book is there at the moment.
        """
        self._flow = self._flow * math.exp(-dt / self._fades_s) + flow_usd
        size = math.sqrt(abs(self._flow) / self._deep_usd)
        self.passes = math.copysign(self._scale * size / depth, self._flow)
        stays = _PERMANENT * self._scale * flow_usd / self._deep_usd / depth
        self.stays += stays
        return stays

    def of_others(self, net_usd: float) -> float:
        """Return the log return of what was bought of free will, less what was sold."""
        return _ORDINARY * self._volatility * net_usd / self._deep_usd
