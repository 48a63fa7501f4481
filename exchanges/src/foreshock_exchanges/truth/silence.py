"""How long a silence must be before calm no longer explains it."""

from math import expm1, inf, log, log1p
from typing import Final

import msgspec

FALSE_ALARM_MINUTES: Final = 3 * 43_200
"""One false alarm of each feed in three months: 19 months of 20 then have one at most.

At one a month on average, every fourth month would have two or more.
"""

FEWEST_OWN: Final = 30
"""Own events before a share is believed: it is then known to 1 / sqrt(30), some 18 %."""

_BLOCK: Final = 5.0
"""Expected own events in a block over which their scatter is measured."""

_FEWEST_CHANCES: Final = 100.0
"""However slow a feed is, a silence is not told before calm makes it once in so many runs."""

_PRIOR_DISPERSION: Final = 3.0
_PRIOR_WEIGHT: Final = 20.0
"""Until its scatter is known a feed is taken to come in runs of three, as if seen in 4 blocks."""


class Learned(msgspec.Struct, kw_only=True):
    """What is known of a feed, each a sum in which the past fades.

    `own` events among `others` of a witness, in `minutes`; `scatter` is the sum over blocks of
    squared differences between own events and those expected, `chance` what it would be if each
    event were own or not by chance alone.
    """

    own: float = 0.0
    others: float = 0.0
    minutes: float = 0.0
    scatter: float = 0.0
    chance: float = 0.0


class Silence:
    """Own events among a witness's, and how many of the witness's may pass without one.

    If each event of the two together is own with the chance `share`, whatever their pace, then
    k in a row are the witness's with (1 - share)^k. A bursty feed is silent for longer: it is
    taken to come in runs of `dispersion` events, the variance of its counts over that of chance,
    so that k counts for k / dispersion only. A share known from few events is uncertain: its
    posterior is a gamma distribution of `own` events, which makes the chance
    (1 + k c / own)^(-own / dispersion), c being -ln(1 - share), as a wait of unknown rate has
    (Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.6). Each run of own events is a
    chance of a false alarm; `limit` is the k at which the chances of three months, a hundred at
    least, have one between them.

    The past fades with `half_life_ms` of the time learned from.
    """

    def __init__(self, half_life_ms: float, learned: Learned | None = None) -> None:
        self._half_life_ms = half_life_ms
        self._sums = msgspec.structs.replace(learned) if learned else Learned()
        self._block_own = 0
        self._block_expected = 0.0
        self._limit: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether enough own events were seen to judge by."""
        return self._sums.own >= FEWEST_OWN

    @property
    def own(self) -> float:
        """Own events, the past ones faded."""
        return self._sums.own

    @property
    def share(self) -> float:
        """Own events over own and the witness's together."""
        return self._sums.own / (self._sums.own + self._sums.others + 1.0)

    @property
    def dispersion(self) -> float:
        """The variance of own counts over that of chance; 1 at least."""
        sums = self._sums
        scatter = _PRIOR_DISPERSION * _PRIOR_WEIGHT + sums.scatter
        return max(1.0, scatter / (_PRIOR_WEIGHT + sums.chance))

    @property
    def pace(self) -> float:
        """Own events a minute."""
        return self._sums.own / self._sums.minutes if self._sums.minutes else 0.0

    @property
    def limit(self) -> float:
        """Events of the witness without one of its own that calm does not explain."""
        if self._limit is None:
            self._limit = self._find_limit()
        return self._limit

    def expected(self, missed: float) -> float:
        """Return how many own events come with `missed` of the witness's."""
        return missed * self._odds()

    def learn(self, missed: float, ms: float) -> None:
        """Take an own event that came after `missed` of the witness's, `ms` after the last."""
        sums, odds = self._sums, self._odds()
        self._block_own += 1
        self._block_expected += missed * odds
        kept: float = 0.5 ** (ms / self._half_life_ms)
        sums.own = sums.own * kept + 1.0
        sums.others = sums.others * kept + missed
        sums.minutes = sums.minutes * kept + ms / 60_000
        sums.scatter *= kept
        sums.chance *= kept
        if self._block_expected >= _BLOCK:
            self._close_block(odds)
        self._limit = None

    def _close_block(self, odds: float) -> None:
        if self.is_known:
            self._sums.scatter += (self._block_own - self._block_expected) ** 2
            self._sums.chance += self._block_expected * (1.0 + odds)
        self._block_own, self._block_expected = 0, 0.0

    def _odds(self) -> float:
        return self._sums.own / (self._sums.others + 1.0)

    def _find_limit(self) -> float:
        if not self.is_known:
            return inf
        dispersion, own = self.dispersion, self._sums.own
        chances = max(FALSE_ALARM_MINUTES * self.pace / dispersion, _FEWEST_CHANCES)
        return own / log1p(self._odds()) * expm1(dispersion * log(chances) / own)
