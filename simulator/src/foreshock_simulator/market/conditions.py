"""What a scenario may change of how the market works."""

from typing import Final

import msgspec

_HOUR_S: Final = 3600.0


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of the model. As they stand: a large market on its usual days.

    `impact` is the constant of square-root impact of forced orders, `depth` a factor on the
    book. Positions are held for about `turnover_s`; open interest comes back within
    `refill_s`, the price to where it began within `pull_s`. `drift` is a log return a day.
    """

    impact: float = 0.8
    depth: float = 1.0
    turnover_s: float = 12 * _HOUR_S
    refill_s: float = 4 * _HOUR_S
    pull_s: float = 48 * _HOUR_S
    drift: float = 0.0
    jumps_per_day: float = 4.0
    seasonal: bool = True


USUAL: Final = Conditions()

HASTY: Final = Conditions(
    turnover_s=1800.0, refill_s=150.0, pull_s=6 * _HOUR_S, jumps_per_day=0.0, seasonal=False
)
"""A market for watching: days pass in minutes, at every hour alike."""
