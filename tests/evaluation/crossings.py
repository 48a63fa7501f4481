"""Alerts from a score: one each time it rises above a limit, and the limit that gives as many."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

_STEP: Final = 0.9
_STEPS: Final = 120
_HALVINGS: Final = 8


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's scores of one coin (and side) in a run, in the order of time."""

    coin: str
    position: str | None
    ms: NDArray[np.int64]
    values: NDArray[np.float32]


def crossings(scores: Scores, limit: float, *, rearm_share: float, cooldown_ms: int) -> list[int]:
    """Return when the score rises to the limit (ms).

    After one, it must fall to `rearm_share` of the limit and `cooldown_ms` must pass. With a share
    of 1 every value from the limit on counts.
    """
    times = scores.ms[_rises(scores.values, limit, rearm_share)]
    told: list[int] = []
    for ms in times.tolist():
        if not told or ms >= told[-1] + cooldown_ms:
            told.append(ms)
    return told


def scaled(count: Callable[[float], int], wanted: int, top: float) -> float:
    """Return the highest limit up to `top` that gives at least `wanted` alerts.

    As the limit falls there are more alerts, until it lies below most scores and few rise above it
    any more. If no limit gives as many, return the one that gives most.
    """
    limits = [top * _STEP**step for step in range(_STEPS)]
    best, most = top, 0
    for above, limit in pairwise(limits):
        told = count(limit)
        if told >= wanted:
            return _between(count, wanted, limit, above)
        if told > most:
            best, most = limit, told
    return best


def _between(count: Callable[[float], int], wanted: int, low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if count(middle) >= wanted else (low, middle)
    return low


def _rises(values: NDArray[np.float32], limit: float, rearm_share: float) -> NDArray[np.bool_]:
    above = values >= limit
    if rearm_share >= 1:
        return above
    known = above | (values <= limit * rearm_share)
    latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    state = np.where(latest >= 0, above[latest], False)
    before = np.concatenate(([False], state[:-1]))
    return np.asarray(state & ~before & above)
