"""What forced orders do to the price: a part passes, as the square root of them, and a part stays."""

import math
from typing import Final

_DECAY_S: Final = 300.0
_PERMANENT: Final = 0.35 * 6
_DEEP: Final = 4.0
"""USD a day that bear impact, per USD of open interest."""


class Impact:
    """Of one contract, whose day moves by `volatility` and which holds `held_usd`.

    `strength` is the constant of square-root impact: a day's volume moves the price by about a
    day's volatility. `depth` below 1 is a thinner book.
    """

    def __init__(self, volatility: float, held_usd: float, strength: float, depth: float) -> None:
        self.stays = 0.0
        self.passes = 0.0
        self._scale = strength * volatility / depth
        self._deep_usd = _DEEP * held_usd
        self._flow = 0.0

    def take(self, flow_usd: float, dt: float, depth: float) -> float:
        """Take forced buying (above 0) or selling; return the log return that stays of it.

        `depth` is how much of the usual book is there at the moment.
        """
        self._flow = self._flow * math.exp(-dt / _DECAY_S) + flow_usd
        size = math.sqrt(abs(self._flow) / self._deep_usd)
        self.passes = math.copysign(self._scale * size / depth, self._flow)
        stays = _PERMANENT * self._scale * flow_usd / self._deep_usd / depth
        self.stays += stays
        return stays
