"""A quantile sketch that forgets: which values are large among those seen lately."""

import math
from typing import Final

import msgspec

BINS: Final = 2_048
"""As many as 1e-6 to 6e11 take."""

_ERROR: Final = 0.01
_GAMMA: Final = (1 + _ERROR) / (1 - _ERROR)
_PER_LOG: Final = 1 / math.log(_GAMMA)
_LEAST: Final = 1e-6
_OFFSET: Final = math.floor(math.log(_LEAST) * _PER_LOG)
_MOST_INFLATION: Final = 64.0
"""Half-lives after which all weights are scaled back, before they overflow."""

_NEAR: Final = 0.99
_FAR: Final = 0.999
"""The quantiles that an exponential tail is drawn through."""

_LEAST_SPREAD: Final = 0.1


class Sketch(msgspec.Struct, kw_only=True):
    """Values in bins of equal ratio, each weighing half as much after a half-life.

    Quantiles are right to 1 % of the value, from 1e-6 to 6e11. Smaller values count as 1e-6,
    larger ones as the largest; NaN and infinity are ignored. The bins are DDSketch's (Masson, Rim
    and Lee 2019). Instead of shrinking old weights, new ones grow (forward decay: Cormode,
    Shkapenyuk, Srivastava and Xu 2009).
    """

    half_life_s: float = 604_800.0
    bins: dict[int, float] = {}
    total: float = 0.0
    origin_ms: int = 0
    latest_ms: int = 0

    def add(self, value: float, ms: int) -> None:
        """Count a value seen at a time; O(1)."""
        if not value < math.inf:
            return
        if not self.bins:
            self.origin_ms = self.latest_ms = ms
        elif ms > self.latest_ms:
            self.latest_ms = ms
        half_lives = (ms - self.origin_ms) / (self.half_life_s * 1000)
        if half_lives > _MOST_INFLATION:
            self._deflate(half_lives)
            half_lives = 0.0
        weight = math.exp2(half_lives)
        bins, index = self.bins, _bin_of(value)
        bins[index] = bins.get(index, 0.0) + weight
        self.total += weight

    @property
    def weight(self) -> float:
        """How many values it holds, old ones counting less."""
        return self.total * math.exp2((self.origin_ms - self.latest_ms) / (self.half_life_s * 1000))

    def quantile(self, q: float) -> float | None:
        """Return the value below which a share `q` of the weight lies; None while empty."""
        if not self.bins:
            return None
        left = (1 - q) * self.total
        index = 0
        for index in sorted(self.bins, reverse=True):
            left -= self.bins[index]
            if left < 0:
                break
        return _middle_of(index)

    def tail(self, value: float) -> float:
        """Return the share of the weight in the bins above a value's own; 1 while empty."""
        if not self.bins:
            return 1.0
        own = _bin_of(value)
        return sum(weight for index, weight in self.bins.items() if index > own) / self.total

    def rarity(self, value: float) -> float:
        """Return how likely a score is exceeded, even beyond anything seen so far; 1 while empty.

        Beyond the .999 quantile by an exponential tail through it and the .99 quantile. That suits
        scores that go with the logarithm of an amount: the amount then follows a power law.
        """
        far, spread = self._far_tail()
        if far is None or value <= far:
            return max(self.tail(value), 1 - _FAR)
        return (1 - _FAR) * math.pow(10, (far - value) / spread)

    def exceeded_once_in(self, times: float) -> float | None:
        """Return the score that one in `times` exceeds (1,000 or more); None while empty."""
        far, spread = self._far_tail()
        return None if far is None else far + spread * math.log10(times * (1 - _FAR))

    def _far_tail(self) -> tuple[float | None, float]:
        """Return the .999 quantile, and how much further out a tenth as many scores lie."""
        far, near = self.quantile(_FAR), self.quantile(_NEAR)
        if far is None or near is None:
            return None, _LEAST_SPREAD
        return far, max(far - near, _LEAST_SPREAD)

    def _deflate(self, half_lives: float) -> None:
        shrink = math.exp2(-half_lives)
        self.bins = {i: weight * shrink for i, weight in self.bins.items() if weight * shrink > 0}
        self.total = sum(self.bins.values())
        self.origin_ms += round(half_lives * self.half_life_s * 1000)


def _bin_of(value: float) -> int:
    if value <= _LEAST:
        return 0
    return min(BINS - 1, math.ceil(math.log(value) * _PER_LOG) - _OFFSET)


def _middle_of(index: int) -> float:
    return 2 * math.exp((index + _OFFSET) / _PER_LOG) / (_GAMMA + 1)
