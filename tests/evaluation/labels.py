"""What ought to be told of a recording, by rules that look ahead as well: for labels only.

A minute is an event if its value is above the 0.999 quantile of the same hour of the week within
14 days before and after (the same hour of the day if the recording is shorter than four weeks), and
at least five times the median of half an hour before and after. A cascade is a run of one side's
liquidations without a gap of more than a minute, of at least 8 bp of the open interest, over which
the price moves at least 20 bp.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from evaluation.lines import Detector
from evaluation.tape import Coin, Print, Tape
from numpy.typing import NDArray

from foreshock_schemas.topics import MARKET

QUANTILE: Final = 0.999
TIMES_MEDIAN: Final = 5.0
LEAST_LIQUIDATED_USD: Final = 25_000.0
LEAST_SHARE: Final = 0.2
"""Of the original requirements' limit; less than either is no event, however rare."""

CASCADE_GAP_MS: Final = 60_000
CASCADE_BP: Final = 8.0
CASCADE_MOVE_BP: Final = 20.0
MARKET_COINS: Final = 3
MARKET_MS: Final = 60_000

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_H: Final = 24
_WEEK_H: Final = 7 * _DAY_H
_NEAR_H: Final = 14 * _DAY_H
_LOCAL_MS: Final = 30 * _MINUTE_MS
_MERGE_MS: Final = 5 * _MINUTE_MS

Times = NDArray[np.int64]
Values = NDArray[np.float64]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ought to be told of a coin, from its onset to its end.

    `counts` is False for what is too small to be a hit or a miss.
    """

    detector: Detector
    coin: str
    start_ms: int
    end_ms: int
    position: str | None = None
    usd: float | None = None
    course: tuple[tuple[float, float], ...] = ()
    counts: bool = True


def labels(tape: Tape, detectors: Collection[Detector]) -> list[Label]:
    """Return what these detectors ought to tell of each coin, then of the whole market."""
    every = (label for name, coin in tape.coins.items() for label in _of_coin(tape, name, coin))
    found = [label for label in every if label.detector in detectors]
    return found + market_wide(found) if "market-wide" in detectors else found


def market_wide(found: Sequence[Label]) -> list[Label]:
    """Return where three coins or more have an onset within a minute."""
    groups: list[list[Label]] = []
    recent: deque[Label] = deque()
    for label in sorted(found, key=lambda label: label.start_ms):
        recent.append(label)
        while label.start_ms - recent[0].start_ms > MARKET_MS:
            recent.popleft()
        if len({other.coin for other in recent}) >= MARKET_COINS:
            if groups and recent[0].start_ms <= groups[-1][-1].start_ms:
                groups[-1].append(label)
            else:
                groups.append(list(recent))
    return [
        Label(
            detector="market-wide",
            coin=MARKET,
            start_ms=min(label.start_ms for label in group),
            end_ms=max(label.end_ms for label in group),
        )
        for group in groups
    ]


def unusual(ms: Times, values: Values) -> NDArray[np.bool_]:
    """Return which values are events; `ms`, ascending, are the ends of the times they cover."""
    if not len(ms):
        return np.zeros(0, bool)
    hours = (ms - 1) // _HOUR_MS
    period_h = _WEEK_H if ms[-1] - ms[0] >= 4 * _WEEK_H * _HOUR_MS else _DAY_H
    by_hour = {int(hour): values[hours == hour] for hour in np.unique(hours)}
    limit = {hour: _quantile(by_hour, hour, period_h) for hour in by_hour}
    above = values > np.array([limit[int(hour)] for hour in hours])
    marked = np.zeros(len(values), bool)
    for at in np.flatnonzero(above):
        low, high = np.searchsorted(ms, (ms[at] - _LOCAL_MS, ms[at] + _LOCAL_MS + 1))
        marked[at] = values[at] >= TIMES_MEDIAN * np.median(values[low:high])
    return marked


def cascades(name: str, coin: Coin) -> Iterator[Label]:
    """Yield the coin's cascades; none before its open interest is known."""
    sides: defaultdict[str, list[Print]] = defaultdict(list)
    for each in sorted(coin.prints):
        sides[each.position].append(each)
    for position, prints in sides.items():
        for run in _runs(prints):
            usd = sum(each.usd for each in run)
            if _is_cascade(run, usd, _interest_at(coin, run[0].ms)):
                yield Label(
                    detector="cascade",
                    coin=name,
                    start_ms=run[0].ms,
                    end_ms=run[-1].ms,
                    position=position,
                    usd=usd,
                    course=tuple(((each.ms - run[0].ms) / 1000, each.usd) for each in run),
                )


def minutes(amounts: dict[int, float], first_ms: int, last_ms: int) -> tuple[Times, Values]:
    """Return the ends of all minutes of a span, and the sum of what lies in each (keys in ms)."""
    first, last = first_ms // _MINUTE_MS, last_ms // _MINUTE_MS
    sums = np.zeros(last - first + 1)
    for ms, amount in amounts.items():
        sums[ms // _MINUTE_MS - first] += amount
    return (np.arange(first, last + 1) + 1) * _MINUTE_MS, sums


def _of_coin(tape: Tape, name: str, coin: Coin) -> Iterator[Label]:
    if coin.seconds:
        traded = {second * 1000 - 1: usd for second, usd in coin.seconds.items()}
        yield from _marked("volume", name, *minutes(traded, min(traded), max(traded)))
    if coin.prints:
        closed: defaultdict[int, float] = defaultdict(float)
        for each in coin.prints:
            closed[each.ms] += each.usd
        ms, usd = minutes(closed, min(closed), max(closed))
        limit_usd = tape.prd(name, int(ms[-1])).single_liquidation_usd
        least = max(LEAST_LIQUIDATED_USD, LEAST_SHARE * limit_usd)
        yield from _marked("liquidation", name, ms, usd, least)
        yield from cascades(name, coin)
    if len(coin.interest) > 1:
        ms = np.array([at_ms for at_ms, _, _ in coin.interest[1:]])
        coins = np.array([coins for _, coins, _ in coin.interest])
        yield from _marked("open-interest", name, ms, np.abs(np.diff(np.log(coins))))


def _marked(
    detector: Detector, coin: str, ms: Times, values: Values, least: float = 0.0
) -> Iterator[Label]:
    step_ms = int(np.median(np.diff(ms))) if len(ms) > 1 else _MINUTE_MS
    at = np.flatnonzero(unusual(ms, values) & (values >= least))
    for group in np.split(at, np.flatnonzero(np.diff(ms[at]) > _MERGE_MS) + 1):
        if len(group):
            start_ms, end_ms = int(ms[group[0]]) - step_ms, int(ms[group[-1]])
            yield Label(detector=detector, coin=coin, start_ms=start_ms, end_ms=end_ms)


def _quantile(by_hour: dict[int, Values], hour: int, period_h: int) -> float:
    reach = _NEAR_H // period_h
    peers = (hour + k * period_h for k in range(-reach, reach + 1))
    return float(np.quantile(np.concatenate([by_hour[p] for p in peers if p in by_hour]), QUANTILE))


def _runs(prints: Sequence[Print]) -> Iterator[list[Print]]:
    run: list[Print] = []
    for each in prints:
        if run and each.ms - run[-1].ms > CASCADE_GAP_MS:
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _is_cascade(run: Sequence[Print], usd: float, interest_usd: float | None) -> bool:
    if not interest_usd or usd / interest_usd * 1e4 < CASCADE_BP:
        return False
    prices = [each.price for each in run]
    return (max(prices) / min(prices) - 1) * 1e4 >= CASCADE_MOVE_BP


def _interest_at(coin: Coin, ms: int) -> float | None:
    at = bisect_right(coin.interest, (ms, float("inf"), float("inf")))
    return coin.interest[at - 1][2] if at else None
