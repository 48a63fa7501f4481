"""A seasonal profile: how far each hour of the week and minute of the hour lies above the rest."""

import math
from typing import Final

import msgspec

HOURS: Final = 168
MINUTES: Final = 60

_DAY_H: Final = 24
_DAY_MIN: Final = 1_440
_WEEK_DAYS: Final = 7
_MONDAY_MIN: Final = 3 * _DAY_MIN
"""1970 began on a Thursday."""

_HOUR_RATE: Final = 0.01
_MINUTE_RATE: Final = 0.004
"""The weight of one minute in its hour of the week and in its minute of the hour."""

_CLIP: Final = 1.0
"""The most that one minute pulls, in logarithms."""


class Seasons(msgspec.Struct, kw_only=True):
    """A profile by hour of the week (UTC, from Monday) and by minute of the hour, in logarithms.

    It is linear between the middles of two hours. What an hour teaches in the first week also goes
    to the same hour of the days that have not been seen yet: until then other days stand for them.
    A minute is a number since 1970.
    """

    hours: list[float] = msgspec.field(default_factory=lambda: [0.0] * HOURS)
    minutes: list[float] = msgspec.field(default_factory=lambda: [0.0] * MINUTES)
    learned_min: int = 0

    def hour_part(self, minute: int) -> float:
        """Return what the hour of the week adds."""
        hour, share = _place(minute)
        return self.hours[hour] * (1 - share) + self.hours[(hour + 1) % HOURS] * share

    def minute_part(self, minute: int) -> float:
        """Return what the minute of the hour adds."""
        return self.minutes[minute % MINUTES]

    def learn(self, minute: int, off: float) -> None:
        """Take a step towards a minute that lay `off` above level and profile together."""
        off = _clipped(off)
        self.minutes[minute % MINUTES] += _MINUTE_RATE * off
        hour, share = _place(minute)
        self._learn_hour(hour, _HOUR_RATE * (1 - share) * off)
        self._learn_hour((hour + 1) % HOURS, _HOUR_RATE * share * off)
        self.learned_min += 1

    def learn_hour(self, minute: int, off: float) -> None:
        """Take the steps of 60 minutes at once, for the hour that begins with `minute`."""
        hour, _ = _place(minute + MINUTES // 2)
        self._learn_hour(hour, (1 - (1 - _HOUR_RATE) ** MINUTES) * _clipped(off))
        self.learned_min += MINUTES

    def learn_quarter(self, quarter: int, off: float) -> None:
        """Take 15 steps at once for each minute of a quarter of an hour (0 to 3)."""
        first = quarter * 15
        rate = 1 - (1 - _MINUTE_RATE) ** 15
        for minute in range(first, first + 15):
            self.minutes[minute] += rate * _clipped(off - self.minutes[minute])

    def _learn_hour(self, hour: int, step: float) -> None:
        self.hours[hour] += step
        for day in range(1, _WEEK_DAYS - self.learned_min // _DAY_MIN):
            self.hours[(hour + day * _DAY_H) % HOURS] += step


def _place(minute: int) -> tuple[int, float]:
    """Return the hour of the week whose middle came last, and the share of the way to the next."""
    since = minute + _MONDAY_MIN - MINUTES // 2
    return since // MINUTES % HOURS, since % MINUTES / MINUTES


def _clipped(off: float) -> float:
    return max(-_CLIP, min(_CLIP, off)) if math.isfinite(off) else 0.0
