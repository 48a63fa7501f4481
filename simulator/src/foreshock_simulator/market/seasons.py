"""How busy a market is by the calendar: hour of day, weekend, and minute of the hour, in UTC."""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

WEEKEND: Final = 0.6
"""What a Saturday or a Sunday has of a weekday."""

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_SATURDAY: Final = 2
"""The first Saturday of 1970 was the day with this number."""

_EVERY_FIVE, _QUARTER, _FULL = 1.12, 1.25, 1.6


def _bursts() -> NDArray[np.float64]:
    factors = np.ones(60)
    factors[::5], factors[::15], factors[0] = _EVERY_FIVE, _QUARTER, _FULL
    normal: NDArray[np.float64] = factors / factors.mean()
    return normal


_BURSTS: Final = _bursts()


class Season(msgspec.Struct, frozen=True, gc=False):
    """Factors of the usual: `activity` of how many come and go, `volume` of what is traded."""

    activity: float
    volume: float


ALWAYS: Final = Season(1.0, 1.0)
"""A market without a calendar."""


def activity(at_ms: ArrayLike) -> NDArray[np.float64]:
    """Return the factor by hour of day and day of week: 0.6 to 1.6, 1 on average of a weekday."""
    ms = np.asarray(at_ms, np.int64)
    turn = 2 * np.pi / 24
    hour = ms % _DAY_MS / _HOUR_MS
    wave = 1 + 0.45 * np.sin(turn * (hour - 9)) + 0.2 * np.sin(2 * turn * (hour - 13))
    weekend = (ms // _DAY_MS - _SATURDAY) % 7 < 2
    factor: NDArray[np.float64] = np.maximum(0.35, wave) * np.where(weekend, WEEKEND, 1.0)
    return factor


def bursts(at_ms: ArrayLike) -> NDArray[np.float64]:
    """Return the factor of volume by minute of the hour: much at the full one, some at quarters."""
    ms = np.asarray(at_ms, np.int64)
    factor: NDArray[np.float64] = _BURSTS[ms // _MINUTE_MS % 60]
    return factor


class Calendar:
    """The season of a moment, reckoned once a minute."""

    def __init__(self) -> None:
        self._minute = -1
        self._season = ALWAYS

    def at(self, ms: int) -> Season:
        """Return the season at a time."""
        if ms // _MINUTE_MS != self._minute:
            self._minute = ms // _MINUTE_MS
            start_ms = self._minute * _MINUTE_MS
            now = float(activity(start_ms))
            self._season = Season(now, now * float(bursts(start_ms)))
        return self._season
