"""A window's volume against what was due in it: how far out of the usual it is."""

import math
from typing import Final

import msgspec

from threshold_service.domain.adaptive.baseline import QUIET_USD
from threshold_service.domain.adaptive.scale import Scale

_FEWEST_SAMPLES: Final = 30
_LEAST_MAD: Final = 0.15
"""However steady a market is, a score of 4 takes 2.4 times the usual: exp(4 x 1.4826 x 0.15)."""

_HALF_LIFE_S: Final = 43_200.0
_HALF_LIFE_SPANS: Final = 600
"""A scale's half-life is half a day, or 600 windows where these take longer."""

_MOST: Final = 50.0
"""A bound on logarithms, so that their exponentials stay finite."""

_DECADE: Final = 1.0
"""How much further out, in robust standard deviations, what is a tenth as frequent lies at least:
1.0 to 1.8 between the .9 and the .99 quantile, in recorded and in simulated trades."""


class Window(msgspec.Struct):
    """What is usual for the sum over `span_s` seconds; sums are in whole cents.

    `floor` is the least that is worth telling. A sum reaches the score aimed at once it exceeds
    `ratio` times what is due, plus `base`.
    """

    span_s: int
    scale: Scale
    floor: float = math.inf
    ratio: float = math.inf
    base: float = 0.0

    @classmethod
    def of(cls, span_s: int) -> "Window":
        """Return a window that knows nothing yet."""
        half_life_s = max(_HALF_LIFE_S, float(span_s * _HALF_LIFE_SPANS))
        return cls(span_s, Scale(half_life_s, _LEAST_MAD))

    @property
    def ready(self) -> bool:
        """Whether it has seen enough windows to tell what is usual."""
        return self.scale.samples >= _FEWEST_SAMPLES

    @property
    def quiet(self) -> float:
        """Cents that are added to both sums: below them nothing matters."""
        return QUIET_USD * 100 * self.span_s / 60

    def warm(self, mad: float) -> None:
        """Start from a deviation that is known from elsewhere, if it knows no better."""
        if not self.ready:
            self.scale.mad = max(mad, _LEAST_MAD)
            self.scale.samples = _FEWEST_SAMPLES

    @property
    def edge(self) -> float:
        """What is added to a score so that spans compare: 0 for a minute, more for longer ones.

        Windows of 10 s are looked at six times as often as those of a minute, so that by chance
        they go further out.
        """
        return _DECADE * math.log10(self.span_s / 60)

    @property
    def usual(self) -> float:
        """The logarithm of seen by due whose score is 0."""
        return self.scale.at(-self.edge)

    def log_ratio(self, seen: int, due: int) -> float:
        """Return the logarithm of seen by due."""
        quiet = self.quiet
        return math.log((seen + quiet) / (due + quiet))

    def z(self, seen: int, due: int) -> float:
        """Return the score of sums: robust standard deviations above the usual, plus `edge`."""
        return self.score(self.log_ratio(seen, due))

    def score(self, log_ratio: float) -> float:
        """Return the score of a logarithm of seen by due."""
        return self.scale.z(log_ratio) + self.edge

    def aim(self, score: float) -> None:
        """Set `ratio` and `base`: what must be seen for a score."""
        self.ratio = (
            math.exp(min(self.scale.at(score - self.edge), _MOST)) if self.ready else math.inf
        )
        self.base = self.quiet * (self.ratio - 1)

    def least(self, due: int) -> float:
        """Return what must be seen for the score aimed at, in cents."""
        return max(self.floor, self.ratio * due + self.base)
