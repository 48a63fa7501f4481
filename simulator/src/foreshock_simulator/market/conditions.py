"""What a scenario may change of how the market works."""

from typing import Final

import msgspec

WATCHED_FASTER: Final = 30.0
"""By how much all goes faster in a market that is watched."""

_HOUR_S: Final = 3600.0


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of the model. As they stand: a large market on its usual days.

    `impact` is the constant of square-root impact of forced orders, which fades within
    `fades_s`; `depth` a factor on the book; `isolated` the share of positions with their own
    margin alone. They are held for about `turnover_s`; open interest comes back within
    `refill_s`, the price to where it began within `pull_s`. `drift` is a log return a day.
    """

    impact: float = 0.8
    depth: float = 1.0
    fades_s: float = 300.0
    isolated: float = 0.6
    turnover_s: float = 12 * _HOUR_S
    refill_s: float = 4 * _HOUR_S
    pull_s: float = 48 * _HOUR_S
    drift: float = 0.0
    jumps_per_day: float = 4.0
    seasonal: bool = True

    def watched(self) -> "Conditions":
        """Return the same for somebody who watches: days pass in minutes, each hour like another.

        Everybody has the margin of one position alone, and nothing jumps but by a shock.
        """
        return msgspec.structs.replace(
            self,
            fades_s=60.0,
            isolated=1.0,
            turnover_s=1800.0,
            refill_s=150.0,
            pull_s=self.pull_s / WATCHED_FASTER,
            drift=self.drift * WATCHED_FASTER,
            jumps_per_day=0.0,
            seasonal=False,
        )
