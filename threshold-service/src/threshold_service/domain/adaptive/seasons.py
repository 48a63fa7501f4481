"""How far the hours of the week and the minutes of the hour lie above what is usual."""

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
_CLIP: Final = 1.0


class Seasons(msgspec.Struct, kw_only=True):
    """A profile by hour of the week (UTC, from Monday) and by minute of the hour, in logarithms.

    Between the middles of two hours it goes straight. What an hour teaches in the first week goes
    to the same hour of the days to come as well: until a day has been seen, others stand for it.
    A minute is told by its number since 1970.
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
        """Take a step towards a minute that was `off` above level and profile together."""
        off = _clipped(off)
        self.minutes[minute % MINUTES] += _MINUTE_RATE * off
        hour, share = _place(minute)
        self._learn_hour(hour, _HOUR_RATE * (1 - share) * off)
        self._learn_hour((hour + 1) % HOURS, _HOUR_RATE * share * off)
        self.learned_min += 1

    def learn_hour(self, minute: int, off: float) -> None:
        """Take as many steps as an hour has minutes, for the hour that begins with `minute`."""
        hour, _ = _place(minute + MINUTES // 2)
        self._learn_hour(hour, (1 - (1 - _HOUR_RATE) ** MINUTES) * _clipped(off))
        self.learned_min += MINUTES

    def learn_quarter(self, quarter: int, off: float) -> None:
        """Take as many steps for the minutes of a quarter of an hour (0 to 3)."""
        first = quarter * 15
        rate = 1 - (1 - _MINUTE_RATE) ** 15
        for minute in range(first, first + 15):
            self.minutes[minute] += rate * _clipped(off - self.minutes[minute])

    def _learn_hour(self, hour: int, step: float) -> None:
        self.hours[hour] += step
        for day in range(1, _WEEK_DAYS - self.learned_min // _DAY_MIN):
            self.hours[(hour + day * _DAY_H) % HOURS] += step


def _place(minute: int) -> tuple[int, float]:
    """Return the hour of the week whose middle is behind, and how far on it is to the next."""
    since = minute + _MONDAY_MIN - MINUTES // 2
    return since // MINUTES % HOURS, since % MINUTES / MINUTES


def _clipped(off: float) -> float:
    return max(-_CLIP, min(_CLIP, off)) if math.isfinite(off) else 0.0
