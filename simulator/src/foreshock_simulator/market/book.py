"""The leveraged positions of one contract, and the prices at which they are closed by force."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.traders import Flags, Floats, Openings

_SPARE: Final = 1.6
"""Room for so many times the usual number of positions; who finds none does not open."""
_HAZARD: Final = 1.9
_IN_PROFIT, _IN_LOSS, _FLAT = 0.75, 0.5, 0.6
_FLAT_WITHIN: Final = 0.001
_STOPS: Final = 6.0
_STOPS_WITHIN: Final = 0.5
_VISITS: Final = 144
"""How often each holder thinks of leaving within the mean time of holding."""


class Closed(msgspec.Struct, frozen=True):
    """Positions closed by force at once.

    `induced` are those that earlier forced closings brought about: without what these moved the
    price by, the mark would not have reached them.
    """

    longs: Flags
    units: Floats
    induced: Flags


class Book:
    """All leveraged positions, in arrays with room for some more than `accounts`.

    `turnover_s` is about how long one is held. A free place has no liquidation price (NaN).
    """

    def __init__(self, accounts: int, turnover_s: float) -> None:
        room = round(accounts * _SPARE)
        self.long_units = self.short_units = 0.0
        self._every_s = turnover_s / _VISITS
        self._hazard = _HAZARD / _VISITS
        self._units, self._signs = np.zeros(room), np.zeros(room)
        self._entries, self._haste, self._moved = np.zeros(room), np.zeros(room), np.zeros(room)
        self._liquidations = np.full(room, np.nan)
        self._free, self._left = np.arange(room), room
        self._visited = 0.0
        self._highest_long, self._lowest_short = 0.0, np.inf

    def open(self, opened: Openings, entries: Floats | float, moved: float) -> None:
        """Add positions; `moved` is what forced closings have moved the price by for good."""
        count = min(len(opened.usd), self._left)
        if not count:
            return
        slots = self._free[self._left - count : self._left].copy()
        self._left -= count
        signs, units = opened.signs[:count], opened.usd[:count] / entries
        liquidations = opened.reach[:count] * entries
        self._units[slots], self._signs[slots] = units, signs
        self._entries[slots], self._liquidations[slots] = entries, liquidations
        self._haste[slots] = (opened.leverage[:count] / 5) ** 0.8
        self._moved[slots] = moved
        longs = signs > 0
        bought = float(units[longs].sum())
        self.long_units += bought
        self.short_units += float(units.sum()) - bought
        highest = liquidations.max(where=longs, initial=0.0)
        lowest = liquidations.min(where=~longs, initial=np.inf)
        self._highest_long = max(self._highest_long, float(highest))
        self._lowest_short = min(self._lowest_short, float(lowest))

    def scale(self, long_units: float, short_units: float) -> None:
        """Make all positions of each side larger or smaller, so that they are so much in all."""
        longs = self._signs > 0
        self._units[longs] *= long_units / self._units[longs].sum()
        self._units[~longs] *= short_units / max(1e-12, self._units[~longs].sum())
        self._count()

    def leave(self, price: float, dt: float, rng: Generator) -> float:
        """Let holders leave of their own will; return the units they bought less those sold.

        Each is asked now and again. Who has lost more than half of the way to liquidation
        has a stop there, often enough.
        """
        before = int(self._visited)
        self._visited += len(self._units) * dt / self._every_s
        here = slice(before, min(int(self._visited), len(self._units)))
        net = self._ask(here, price, rng) if here.stop > before else 0.0
        if here.stop == len(self._units):
            self._visited = 0.0
            self._count()
        return net

    def force(self, mark: float, moved: float) -> Closed | None:
        """Close by force what the mark price has reached.

        `moved` is the log return by which forced closings hold the mark away from where it
        would be: what passes and what stays.
        """
        if self._highest_long < mark < self._lowest_short:
            return None
        beyond = self._signs * (self._liquidations - mark)
        hit = np.flatnonzero(beyond >= 0)
        closed = None
        if len(hit):
            longs, units = self._signs[hit] > 0, self._units[hit].copy()
            left_alone = mark * np.exp(self._moved[hit] - moved)
            induced = self._signs[hit] * (self._liquidations[hit] - left_alone) < 0
            closed = Closed(longs, units, induced)
            self._close(hit)
        held = ~np.isnan(self._liquidations)
        longs_held, shorts_held = held & (self._signs > 0), held & (self._signs < 0)
        self._highest_long = float(self._liquidations.max(where=longs_held, initial=0.0))
        self._lowest_short = float(self._liquidations.min(where=shorts_held, initial=np.inf))
        return closed

    def _ask(self, here: slice, price: float, rng: Generator) -> float:
        entries, liquidations = self._entries[here], self._liquidations[here]
        gain = self._signs[here] * (price / np.maximum(entries, 1e-12) - 1)
        hazard = np.where(gain > _FLAT_WITHIN, _IN_PROFIT, _FLAT)
        hazard[gain < -_FLAT_WITHIN] = _IN_LOSS
        near = (price - liquidations) / (entries - liquidations) < _STOPS_WITHIN
        hazard[near] *= _STOPS
        hazard *= self._haste[here] * self._hazard
        leaves = rng.exponential(size=len(hazard)) < hazard
        slots = here.start + np.flatnonzero(leaves & (self._units[here] > 0))
        net = -float(self._signs[slots] @ self._units[slots])
        self._close(slots)
        return net

    def _close(self, slots: "np.typing.NDArray[np.int_]") -> None:
        units, longs = self._units[slots], self._signs[slots] > 0
        sold = float(units[longs].sum())
        self.long_units -= sold
        self.short_units -= float(units.sum()) - sold
        self._units[slots] = 0.0
        self._liquidations[slots] = np.nan
        self._free[self._left : self._left + len(slots)] = slots
        self._left += len(slots)

    def _count(self) -> None:
        longs = self._signs > 0
        self.long_units = float(self._units.sum(where=longs))
        self.short_units = float(self._units.sum(where=~longs))
