"""The leveraged positions of one contract, and the prices at which they are closed by force."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.traders import Flags, Floats, Openings

_SPARE: Final = 1.4
"""Room for so many times the usual number of positions; who finds none does not open."""
_HAZARD: Final = 1.9
_IN_PROFIT, _IN_LOSS, _FLAT = 0.75, 0.5, 0.6
_FLAT_WITHIN: Final = 0.001
_STOPS: Final = 3.0
_STOPS_AT: Final = 0.5
_VISITS: Final = 72
"""How often each holder thinks of leaving within the mean time of holding."""
_AT_ONCE: Final = 256
_NONE: Final = np.empty(0, np.int64)


class Closed(msgspec.Struct, frozen=True):
    """Positions closed by force at once.

    `induced` are those that earlier forced closings brought about: without what these moved the
    price by, the mark would not have reached them.
    """

    longs: Flags
    units: Floats
    induced: Flags

    def usd(self, price: float, *, longs: bool) -> float:
        """Return what all of one side are worth."""
        return float(self.units.sum(where=self.longs == longs)) * price


class Book:
    """All leveraged positions, in arrays with room for some more than `accounts`.

    `turnover_s` is about how long one is held. Where there is no long, its level (the price of
    liquidation) is 0, and where there is no short, infinite.
    """

    def __init__(self, accounts: int, turnover_s: float) -> None:
        room = round(accounts * _SPARE)
        self.long_units = self.short_units = 0.0
        self._every_s = turnover_s / _VISITS
        self._units, self._signs, self._haste = np.zeros(room), np.zeros(room), np.zeros(room)
        self._entries, self._stops, self._moved = np.zeros(room), np.zeros(room), np.zeros(room)
        self._long_levels, self._short_levels = np.zeros(room), np.full(room, np.inf)
        self._free, self._left = np.arange(room), room
        self._due = 0.0
        self._visited = 0
        self._highest_long, self._lowest_short = 0.0, np.inf

    def open(self, opened: Openings, entries: Floats | float, moved: float) -> None:
        """Add positions; `moved` is what forced closings have moved the price by for good."""
        count = min(len(opened.usd), self._left)
        if not count:
            return
        slots = self._free[self._left - count : self._left].copy()
        self._left -= count
        signs, units = opened.signs[:count], opened.usd[:count] / entries
        levels, longs = opened.reach[:count] * entries, signs > 0
        self._units[slots], self._signs[slots], self._entries[slots] = units, signs, entries
        self._stops[slots] = _STOPS_AT * levels + (1 - _STOPS_AT) * entries
        self._haste[slots] = (opened.leverage[:count] / 5) ** 0.8
        self._moved[slots] = moved
        long_levels, short_levels = np.where(longs, levels, 0.0), np.where(longs, np.inf, levels)
        self._long_levels[slots], self._short_levels[slots] = long_levels, short_levels
        self._highest_long = max(self._highest_long, float(long_levels.max()))
        self._lowest_short = min(self._lowest_short, float(short_levels.min()))
        net = float(signs @ units)
        total = float(units.sum())
        self.long_units += (total + net) / 2
        self.short_units += (total - net) / 2

    def scale(self, long_units: float, short_units: float) -> None:
        """Make all positions of each side larger or smaller, so that they are so much in all."""
        self._count()
        usual = np.where(self._signs > 0, long_units / self.long_units, 1.0)
        self._units *= np.where(self._signs < 0, short_units / self.short_units, usual)
        self._count()

    def leave(self, price: float, dt: float, rng: Generator) -> float:
        """Let holders leave of their own will; return the units they bought less those sold.

        Each is asked now and again. Who has lost more than half of the way to liquidation
        has a stop there, often enough.
        """
        room = len(self._units)
        self._due += room * dt / self._every_s
        if self._due < _AT_ONCE:
            return 0.0
        here = slice(self._visited, min(room, self._visited + int(self._due)))
        self._due -= here.stop - here.start
        self._visited = here.stop
        net = self._ask(here, price, rng)
        if here.stop == room:
            self._visited, self._due = 0, 0.0
            self._count()
        return net

    def force(self, mark: float, moved: float) -> Closed | None:
        """Close by force what the mark price has reached.

        `moved` is the log return by which forced closings hold the mark away from where it
        would be: what passes and what stays.
        """
        longs = np.flatnonzero(self._long_levels >= mark) if mark <= self._highest_long else _NONE
        shorts = np.flatnonzero(self._short_levels <= mark) if mark >= self._lowest_short else _NONE
        slots = np.concatenate([longs, shorts])
        closed = None
        if len(slots):
            left_alone = mark * np.exp(self._moved[slots] - moved)
            spared = self._long_levels[slots] < left_alone
            spared[len(longs) :] = self._short_levels[shorts] > left_alone[len(longs) :]
            closed = Closed(self._signs[slots] > 0, self._units[slots], spared)
            self._close(slots)
        if mark <= self._highest_long:
            self._highest_long = float(self._long_levels.max())
        if mark >= self._lowest_short:
            self._lowest_short = float(self._short_levels.min())
        return closed

    def _ask(self, here: slice, price: float, rng: Generator) -> float:
        signs = self._signs[here]
        gain = signs * (price - self._entries[here])
        flat = _FLAT_WITHIN * price
        hazard = np.where(gain > flat, _IN_PROFIT, _FLAT)
        hazard[gain < -flat] = _IN_LOSS
        hazard[signs * (price - self._stops[here]) < 0] *= _STOPS
        hazard *= self._haste[here]
        asked = rng.standard_exponential(len(hazard))
        slots = here.start + np.flatnonzero(asked < _HAZARD / _VISITS * hazard)
        slots = slots[self._units[slots] > 0]
        if not len(slots):
            return 0.0
        net = -float(self._signs[slots] @ self._units[slots])
        self._close(slots)
        return net

    def _close(self, slots: "np.typing.NDArray[np.int_]") -> None:
        units = self._units[slots]
        net, total = float(self._signs[slots] @ units), float(units.sum())
        self.long_units -= (total + net) / 2
        self.short_units -= (total - net) / 2
        self._units[slots], self._signs[slots] = 0.0, 0.0
        self._long_levels[slots], self._short_levels[slots] = 0.0, np.inf
        self._free[self._left : self._left + len(slots)] = slots
        self._left += len(slots)

    def _count(self) -> None:
        net, total = float((self._signs * self._units).sum()), float(self._units.sum())
        self.long_units, self.short_units = (total + net) / 2, (total - net) / 2
