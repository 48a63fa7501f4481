"""Simpler rules to be measured against, each scaled to as many alerts as ours.

prd: the value over the original requirements' limit, with their factors of size and hour.
ewma: how many standard deviations the logarithm lies above its exponentially weighted mean.
fixed: the value over a constant. All of them look back only, tell when they rise above a limit,
must fall to a share of it before they tell again, and have the same cooldown.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import numpy as np
from evaluation.crossings import Scores, crossings
from evaluation.labels import MARKET_COINS, MARKET_MS, minutes
from evaluation.lines import Detector
from evaluation.tape import Coin, Print, Tape
from numpy.typing import NDArray

from foreshock_schemas.topics import MARKET
from threshold_service.domain.formulas import positive
from threshold_service.domain.rules.cascade import FEWEST, WINDOW_S

Baseline = Literal["prd", "ewma", "fixed"]
BASELINES: Final[tuple[Baseline, ...]] = ("prd", "ewma", "fixed")

REARM_SHARE: Final[dict[Detector, float]] = {
    "liquidation": 1.0,
    "cascade": 0.5,
    "volume": 0.8,
    "open-interest": 0.5,
    "market-wide": 0.5,
}
"""To what share of the limit a score must fall; as in the original requirements' rules."""

COOLDOWN_MS: Final[dict[Detector, int]] = {
    "liquidation": 60_000,
    "cascade": 60_000,
    "volume": 900_000,
    "open-interest": 900_000,
    "market-wide": 60_000,
}
"""Each rule's window, a minute at least."""

HALF_LIFE_MS: Final[dict[Detector, int]] = {
    "liquidation": 86_400_000,
    "cascade": 86_400_000,
    "volume": 3_600_000,
    "open-interest": 86_400_000,
}
"""Of the mean and the deviation that ewma compares with."""

_QUARTER_S: Final = 900
_STEP_S: Final = 5
_UNKNOWN_USD: Final = 1e6
"""Stands for the volume limit of a coin whose daily volume is never known."""

_WARM: Final = 20
"""Values that ewma learns from before it scores any."""

Ms = NDArray[np.int64]
Values = NDArray[np.float32]
Key = tuple[Detector, Baseline]
Named = Iterator[tuple[Baseline, Scores]]


def alerts_of(scores: Scores, detector: Detector, limit: float) -> list[int]:
    """Return when a baseline tells if its limit is this one (ms)."""
    return crossings(
        scores,
        limit,
        rearm_share=REARM_SHARE[detector],
        cooldown_ms=COOLDOWN_MS[detector],
    )


def scores(tape: Tape) -> dict[Key, list[Scores]]:
    """Return every baseline's scores of every coin, and of the market if there are 3 coins."""
    found: defaultdict[Key, list[Scores]] = defaultdict(list)
    for name, coin in tape.coins.items():
        for detector, rule in _RULES.items():
            for baseline, series in rule(tape, name, coin):
                found[detector, baseline].append(series)
    if len(tape.coins) >= MARKET_COINS:
        for baseline in BASELINES:
            singles = found["liquidation", baseline] or found["volume", baseline]
            if singles:
                found["market-wide", baseline].append(_third_largest(singles))
    return dict(found)


def ewma(ms: Ms, values: Values, half_life_ms: float) -> Values:
    """Return by how many standard deviations each value's log exceeds the mean of those before."""
    mean = spread = 0.0
    before, out = 0, np.zeros(len(values), np.float32)
    for at, (now, x) in enumerate(zip(ms.tolist(), np.log1p(values).tolist(), strict=True)):
        gap = x - mean
        if at >= _WARM and spread > 0:
            out[at] = max(0.0, gap / spread**0.5)
        share = 1 - 0.5 ** (max(1, now - before) / half_life_ms) if at >= _WARM else 1 / (at + 1)
        mean += share * gap
        spread = (1 - share) * (spread + share * gap * gap)
        before = now
    return out


def _volume(tape: Tape, name: str, coin: Coin) -> Named:
    if not coin.seconds:
        return
    first, last = min(coin.seconds), max(coin.seconds)
    by_second = np.zeros(last - first + 1)
    by_second[np.fromiter(coin.seconds, int) - first] = list(coin.seconds.values())
    total = np.concatenate((np.zeros(_QUARTER_S), np.cumsum(by_second)))
    quarter = (total[_QUARTER_S:] - total[:-_QUARTER_S])[_STEP_S - 1 :: _STEP_S]
    ms = (first + np.arange(len(quarter)) * _STEP_S + _STEP_S - 1) * 1000
    limits = np.array([positive(tape.prd(name, at).volume_15m_usd) or np.inf for at in ms.tolist()])
    yield "prd", _series(name, None, ms, quarter / limits)
    traded = {second * 1000 - 1: usd for second, usd in coin.seconds.items()}
    ms, usd = minutes(traded, min(traded), max(traded))
    yield "ewma", _series(name, None, ms, ewma(ms, usd, HALF_LIFE_MS["volume"]))
    constant_usd = tape.fixed(name).volume_15m_usd or _UNKNOWN_USD
    yield "fixed", _series(name, None, ms, usd / constant_usd)


def _liquidation(tape: Tape, name: str, coin: Coin) -> Named:
    if not coin.prints:
        return
    prints = sorted(coin.prints)
    ms = np.array([each.ms for each in prints])
    usd = np.array([each.usd for each in prints])
    limits = np.array([tape.prd(name, each.ms).single_liquidation_usd for each in prints])
    yield "prd", _series(name, None, ms, usd / limits)
    yield "ewma", _series(name, None, ms, ewma(ms, usd, HALF_LIFE_MS["liquidation"]))
    yield "fixed", _series(name, None, ms, usd / tape.fixed(name).single_liquidation_usd)


def _cascade(tape: Tape, name: str, coin: Coin) -> Named:
    for side in ("long", "short"):
        prints = sorted(each for each in coin.prints if each.position == side)
        if not prints:
            continue
        ms = np.array([each.ms for each in prints])
        sums = np.array(list(_rolling(prints)))
        limits = np.array([tape.prd(name, each.ms).cascade_usd for each in prints])
        yield "prd", _series(name, side, ms, sums / limits)
        yield "ewma", _series(name, side, ms, ewma(ms, sums, HALF_LIFE_MS["cascade"]))
        yield "fixed", _series(name, side, ms, sums / tape.fixed(name).cascade_usd)


def _open_interest(tape: Tape, name: str, coin: Coin) -> Named:
    if not coin.changes:
        return
    ms = np.array([each.ms for each in coin.changes])
    pct = np.array([each.pct for each in coin.changes])
    usd = np.array([each.usd for each in coin.changes])
    held = [tape.prd(name, each.ms) for each in coin.changes]
    enough = usd >= np.array([limit.oi_minimum_usd for limit in held])
    yield "prd", _series(name, None, ms, pct / np.array([t.oi_change_pct for t in held]) * enough)
    yield "ewma", _series(name, None, ms, ewma(ms, pct, HALF_LIFE_MS["open-interest"]))
    yield "fixed", _series(name, None, ms, pct / tape.fixed(name).oi_change_pct)


_RULES: Final[dict[Detector, Callable[[Tape, str, Coin], Named]]] = {
    "volume": _volume,
    "liquidation": _liquidation,
    "cascade": _cascade,
    "open-interest": _open_interest,
}


def _rolling(prints: Sequence[Print]) -> Iterator[float]:
    window: deque[Print] = deque()
    for each in prints:
        window.append(each)
        while window[0].ms <= each.ms - WINDOW_S * 1000:
            window.popleft()
        yield sum(one.usd for one in window) if len(window) >= FEWEST else 0.0


def _third_largest(singles: Sequence[Scores]) -> Scores:
    """What three coins reached in a minute or the one before: the third largest of their scores."""
    coins = sorted({each.coin for each in singles})
    first = min(int(each.ms[0]) for each in singles) // MARKET_MS
    last = max(int(each.ms[-1]) for each in singles) // MARKET_MS
    best = np.zeros((max(MARKET_COINS, len(coins)), last - first + 2), np.float32)
    for each in singles:
        np.maximum.at(best[coins.index(each.coin)], each.ms // MARKET_MS - first + 1, each.values)
    third = np.sort(np.maximum(best[:, 1:], best[:, :-1]), axis=0)[-MARKET_COINS]
    return _series(MARKET, None, (first + np.arange(len(third)) + 1) * MARKET_MS, third)


def _series(coin: str, position: str | None, ms: Ms, values: NDArray[np.float64]) -> Scores:
    return Scores(
        coin=coin,
        position=position,
        ms=ms.astype(np.int64),
        values=np.asarray(values).astype(np.float32),
    )
