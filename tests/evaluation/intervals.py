"""How sure a share is: 95 % intervals.

Hits come in clusters, so hours are drawn in blocks of a day on average: the stationary bootstrap
(Politis and Romano 1994). With fewer than 30 events, or if all or none are found, there is too
little to draw from: then it is Wilson's score interval (1927), which takes events as independent.
"""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST: Final = 30
RESAMPLES: Final = 2000
BLOCK_H: Final = 24

_Z: Final = 1.959964
_ENDS: Final = (2.5, 97.5)

Counts = NDArray[np.float64]
Interval = tuple[float, float]


def of_share(hits: Counts, events: Counts) -> Interval | None:
    """Return the interval of hits / events, both counted by hour; None without events."""
    found, total = float(hits.sum()), float(events.sum())
    if not total:
        return None
    if total < FEWEST or found in (0, total):
        return wilson(found, total)
    drawn = drawn_hours(len(events))
    return _ends(hits[drawn].sum(axis=1), events[drawn].sum(axis=1))


def of_ratio(ours: Counts, theirs: Counts) -> Interval | None:
    """Return the interval of the ratio of two counts of the same hours: both are drawn alike."""
    if not theirs.sum():
        return None
    drawn = drawn_hours(len(ours))
    return _ends(ours[drawn].sum(axis=1), theirs[drawn].sum(axis=1))


def wilson(hits: float, total: float) -> Interval:
    """Return Wilson's score interval of a share."""
    share, z2 = hits / total, _Z * _Z
    middle = share + z2 / (2 * total)
    reach = _Z * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    scale = 1 + z2 / total
    low, high = (middle - reach) / scale, (middle + reach) / scale
    return round(max(0.0, low), 4), round(min(1.0, high), 4)


def drawn_hours(hours: int) -> NDArray[np.int64]:
    """Return the hours of each resample, a row each: always the same draw."""
    random = np.random.default_rng(1994)
    fresh = random.random((RESAMPLES, hours)) < 1 / BLOCK_H
    fresh[:, 0] = True
    start = random.integers(hours, size=(RESAMPLES, hours))
    step = np.arange(hours)
    begun = np.maximum.accumulate(np.where(fresh, step, 0), axis=1)
    first = np.take_along_axis(start, begun, axis=1)
    return (first + step - begun) % hours


def _ends(above: Counts, below: Counts) -> Interval | None:
    drawn = above[below > 0] / below[below > 0]
    low, high = np.percentile(drawn, _ENDS)
    return round(float(low), 4), round(float(high), 4)
