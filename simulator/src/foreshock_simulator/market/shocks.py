"""When the shocks of each scenario come, and how large they are."""

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.shock import Pace, Shock

Shocks = Callable[[int, tuple[str, ...], Pace], Iterator[Shock]]
"""Shocks from a seed, the symbols there are, and a pace."""

_DEMO_FIRST_S: Final = 12.0
_DEMO_BETWEEN_S: Final = (120.0, 240.0)
_DEMO_LASTS_S: Final = 18.0
_DEMO_SIZE: Final = (1.8, 2.2)
_MARKET_WIDE: Final = 0.55
_SHARE_OF_COINS: Final = 0.35
_WEEK_S: Final = 7 * 86_400.0
_HIGHER: Final = math.exp(0.8)


def demo(seed: int, symbols: tuple[str, ...], pace: Pace) -> Iterator[Shock]:
    """Yield shocks: the first at 12 s for all, then one every 2 to 4 minutes.

    Sides alternate, so that the price stays in reach and both are seen.
    """
    rng = np.random.default_rng([seed, 1])
    at, sign = _DEMO_FIRST_S, -1.0
    everybody: frozenset[str] = frozenset()
    concerned = everybody
    while pace.span_s is None or at + _DEMO_LASTS_S <= pace.span_s:
        size = sign * float(rng.uniform(*_DEMO_SIZE))
        yield Shock(start_s=at, lasts_s=_DEMO_LASTS_S, volatilities=size, symbols=concerned)
        at += float(rng.uniform(*_DEMO_BETWEEN_S))
        sign = -sign
        some = max(1, round(len(symbols) * _SHARE_OF_COINS))
        chosen = frozenset(rng.choice(symbols, some, replace=False).tolist())
        concerned = everybody if rng.random() < _MARKET_WIDE else chosen


def none(_seed: int, _symbols: tuple[str, ...], _pace: Pace) -> Iterator[Shock]:
    """Yield nothing: the market is left to itself."""
    return iter(())


def falls(share: float, lasts_s: float) -> Shocks:
    """Return shocks that take the price down by about this share; below 0: up."""

    def one(rng: Generator, at: float) -> Shock:
        size = math.log1p(-share) * float(rng.uniform(0.8, 1.2))
        return Shock(start_s=at, lasts_s=lasts_s, log_return=size)

    return _recurring(one)


def spikes(seed: int, symbols: tuple[str, ...], pace: Pace) -> Iterator[Shock]:
    """Yield waves of trading: 4 to 12 times the usual volume for 1 to 5 minutes."""

    def one(rng: Generator, at: float) -> Shock:
        times, minutes = float(rng.uniform(4, 12)), float(rng.uniform(1, 5))
        return Shock(start_s=at, lasts_s=60 * minutes, volume_times=times)

    return _recurring(one)(seed, symbols, pace)


def interest(seed: int, symbols: tuple[str, ...], pace: Pace) -> Iterator[Shock]:
    """Yield waves of new positions: 3 to 12 % of the open interest within 5 to 15 minutes."""

    def one(rng: Generator, at: float) -> Shock:
        growth, minutes = float(rng.uniform(0.03, 0.12)), float(rng.uniform(5, 15))
        return Shock(start_s=at, lasts_s=60 * minutes, interest=growth)

    return _recurring(one)(seed, symbols, pace)


def regime(_seed: int, _symbols: tuple[str, ...], pace: Pace) -> Iterator[Shock]:
    """Yield one week of more than twice the volume, or the middle third of a shorter span."""
    if pace.span_s is not None:
        lasts_s = min(_WEEK_S, pace.span_s / 3)
        start_s = (pace.span_s - lasts_s) / 2
        yield Shock(start_s=start_s, lasts_s=lasts_s, volume_times=_HIGHER)


def _recurring(one: Callable[[Generator, float], Shock]) -> Shocks:
    def shocks(seed: int, _symbols: tuple[str, ...], pace: Pace) -> Iterator[Shock]:
        rng = np.random.default_rng([seed, 1])
        at = pace.first_s
        while True:
            shock = one(rng, at)
            if pace.span_s is not None and shock.end_s > pace.span_s:
                return
            yield shock
            at = shock.end_s + float(rng.uniform(*pace.between_s))

    return shocks
