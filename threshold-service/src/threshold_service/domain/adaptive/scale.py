"""Median and MAD of a stream: what is usual, and how far from it, whatever the outliers."""

import math
from typing import Final

import msgspec

MAD_TO_SIGMA: Final = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""

_MOST: Final = 0.05

# On average a sign step moves by the probability of a sample above, less that of one below. Near
# the middle of a normal distribution that is 0.538 times how far off the median is in MADs, and
# 0.857 times how far off the MAD is in logarithms. Divided by these a step closes, on average,
# the share of the distance that it was asked to.
_MEDIAN_STEP: Final = 1 / 0.538
_MAD_STEP: Final = 1 / 0.857


class Scale(msgspec.Struct):
    """Exponentially weighted median and MAD, each by a step up or down with every sample.

    This is stochastic approximation (Robbins and Monro 1951). A sample weighs by the time since
    the one before, a twentieth at most, so that the pace of samples does not matter. `least_mad`
    keeps a stream that is nearly constant from making an event of everything else.
    """

    half_life_s: float
    least_mad: float = 0.0
    median: float = 0.0
    mad: float = 0.0
    samples: int = 0
    latest_ms: int = 0

    def add(self, x: float, ms: int) -> None:
        """Learn from a sample taken at a time; NaN and infinity are ignored."""
        if not math.isfinite(x):
            return
        self.samples += 1
        if self.samples == 1:
            self.median, self.mad, self.latest_ms = x, self.least_mad, ms
            return
        rate = max(self._share(ms), 1 / self.samples)
        self.latest_ms = max(self.latest_ms, ms)
        off = x - self.median
        distance = abs(off)
        if self.mad <= 0:
            self.mad = distance
        self.median += math.copysign(min(rate * _MEDIAN_STEP * self.mad, distance), off)
        grow = 1 + rate * _MAD_STEP
        self.mad = max(self.mad * grow if distance > self.mad else self.mad / grow, self.least_mad)

    def z(self, x: float) -> float:
        """Return how many robust standard deviations `x` lies above the median.

        0 as long as no two samples differed.
        """
        return (x - self.median) / (MAD_TO_SIGMA * self.mad) if self.mad > 0 else 0.0

    def at(self, z: float) -> float:
        """Return what lies so many robust standard deviations above the median."""
        return self.median + z * MAD_TO_SIGMA * self.mad

    def _share(self, ms: int) -> float:
        elapsed_s = max(0, ms - self.latest_ms) / 1000
        return min(1 - math.exp2(-elapsed_s / self.half_life_s), _MOST)
