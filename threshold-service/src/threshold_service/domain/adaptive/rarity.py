"""How rare a size is: in robust standard deviations, and once in how many days."""

from math import exp, exp2, inf, log
from typing import Final

import msgspec

from threshold_service.domain.adaptive.sketch import Sketch

LEARNED: Final = 50.0
"""So many sizes must have been seen (old ones counting less) before they say what is large."""

REVIEW: Final = 512
"""Sizes between two readings of the quantiles; while there are few, each power of two."""

_TOP: Final = 10.0
_NEXT: Final = 100.0
"""How many sizes lie beyond the two quantiles that the tail is drawn through."""

_LEAST_TAIL: Final = 0.2
_IQR_TO_SIGMA: Final = 1.349
"""The interquartile range of a normal distribution, in standard deviations."""

_LEAST_SIGMA: Final = 0.1
_DAY_S: Final = 86_400.0


class Rarity(msgspec.Struct):
    """What the sizes of one kind were like, old ones counting less; O(1) but for the reviews.

    Beyond the ten largest a sketch holds too little to say how rare a size is. There the tail is
    Pareto's, drawn through the quantiles beyond which ten and a hundred sizes lie; `tail` is the
    inverse of its exponent, and `days` is how long those sizes took to come.
    """

    sketch: Sketch = msgspec.field(default_factory=Sketch)
    since_ms: int = 0
    sizes: int = 0
    median_log: float = 0.0
    sigma_log: float = 1.0
    top_usd: float = 0.0
    tail: float = 1.0
    days: float = 0.0

    def add(self, usd: float, ms: int) -> None:
        """Learn from a size."""
        if self.sizes == 0:
            self.since_ms = ms
        self.sketch.add(usd, ms)
        self.sizes += 1
        due = self.sizes < REVIEW and (self.sizes.bit_count() == 1 or not self.top_usd)
        if due or self.sizes % REVIEW == 0:
            self._review()

    @property
    def learned(self) -> bool:
        """Whether it has seen enough to say anything."""
        return self.top_usd > 0 and self.sketch.weight >= LEARNED

    def z(self, usd: float) -> float:
        """Return how many robust standard deviations a size lies above the median, in logs."""
        return (log(usd) - self.median_log) / self.sigma_log

    def days_between(self, usd: float) -> float:
        """Return in how many days this size or more is expected once; 0 within the ten largest."""
        if not usd > self.top_usd > 0:
            return 0.0
        return self.days / _TOP * exp(log(usd / self.top_usd) / self.tail)

    def once_in(self, days: float) -> float:
        """Return the size that is reached once in so many days; infinity while not known."""
        if self.top_usd <= 0 or self.days <= 0:
            return inf
        return self.top_usd * exp(log(days * _TOP / self.days) * self.tail)

    def size(self, z: float) -> float:
        """Return the size that lies so many robust standard deviations above the median."""
        return exp(self.median_log + z * self.sigma_log)

    def often_z(self, per_day: float) -> float:
        """Return the size that so many a day exceed, in robust standard deviations."""
        share = min(1.0, per_day * self.days / self.sketch.weight)
        return (self._log_at(1 - share) - self.median_log) / self.sigma_log

    def _review(self) -> None:
        weight = self.sketch.weight
        self.median_log = self._log_at(0.5)
        spread = (self._log_at(0.75) - self._log_at(0.25)) / _IQR_TO_SIGMA
        self.sigma_log = max(spread, _LEAST_SIGMA)
        self.days = self._effective_days()
        if weight < LEARNED:
            return
        following = min(_NEXT, weight / 2)
        top_log = self._log_at(1 - _TOP / weight)
        slope = (top_log - self._log_at(1 - following / weight)) / log(following / _TOP)
        self.top_usd, self.tail = exp(top_log), max(slope, _LEAST_TAIL)

    def _effective_days(self) -> float:
        """Return the days that the weight stands for, old ones counting less like their sizes."""
        half_life_s, age_s = self.sketch.half_life_s, (self.sketch.latest_ms - self.since_ms) / 1000
        return half_life_s / log(2) * (1 - exp2(-age_s / half_life_s)) / _DAY_S

    def _log_at(self, q: float) -> float:
        return log(self.sketch.quantile(q) or 1.0)
