"""One simulated contract: its price and its holders, and what a step of both looks like."""

import math
from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.book import Book, Closed
from foreshock_simulator.market.conditions import Conditions
from foreshock_simulator.market.impact import Impact
from foreshock_simulator.market.profiles import Profile
from foreshock_simulator.market.seasons import ALWAYS, Season
from foreshock_simulator.market.shock import STILL, Push
from foreshock_simulator.market.traders import PER_OPENING, Crowd
from foreshock_simulator.market.trades import Step, prints, trades
from foreshock_simulator.market.volume import Volume

_DAY_S: Final = 86_400.0
_COMMON: Final = 0.7
_OWN: Final = math.sqrt(1 - _COMMON**2)
_LEVEL_REVERTS_S: Final = 6 * 3600.0
_LEVEL_SD: Final = 0.54
_JUMP: Final = 0.2
_MOMENTUM_S: Final = 600.0
_THINS: Final = 0.25
_MARK_LAG_S: Final = 8.0
_INDEX_LAG_S: Final = 2.0
_INTEREST_STAYS_S: Final = 6 * 3600.0
_WARM_SPREAD: Final = 0.02
_LEAST_COMING, _MOST_COMING = 0.3, 30.0


class Flow(msgspec.Struct, frozen=True, gc=False):
    """One step: the price before and after, what was traded and by whom, what was closed by force.

    `usd` is all volume, of which takers bought `bought_usd`.
    """

    before: float
    price: float
    usd: float
    bought_usd: float
    closed: Closed | None


class Contract:
    """One contract's market. All randomness comes from the generator handed in.

    The log price diffuses with the hour's volatility, jumps, is pulled back, and yields to what
    is bought and sold. The mark price lags; whom it reaches is sold in the step after.
    """

    def __init__(self, profile: Profile, rng: Generator, conditions: Conditions) -> None:
        self.profile = profile
        self.price = self.mark = self.index = self.high = self.low = profile.price
        self.funding_rate = 0.0001
        self._rng = rng
        self._on = conditions
        self._log_start = self._log = math.log(profile.price)
        self._level = 0.0
        self._momentum = 0.0
        self._held_away = 0.0
        self._hedged_units = 0.0
        self._volume = Volume(profile, rng)
        self._impact = Impact(profile.volatility, profile.held_usd, conditions)
        mean_usd = 2 * profile.held_usd / profile.accounts
        self._crowd = Crowd(mean_usd, conditions.isolated, rng)
        self._book = Book(profile.accounts, conditions.turnover_s)
        self._warm()

    @property
    def open_interest(self) -> float:
        """Units open, counted once: the larger side, for hedged market makers hold the rest."""
        return max(self._book.long_units, self._book.short_units) + self._hedged_units

    def step(self, dt: float, common: float, push: Push = STILL, season: Season = ALWAYS) -> Step:
        """Let `dt` seconds pass as `advance` does; return the single trades and liquidations."""
        flow = self.advance(dt, common, push, season)
        return Step(
            trades(flow.before, flow.price, flow.usd, flow.bought_usd, self.profile, self._rng),
            prints(flow.price, flow.closed, self.profile),
        )

    def advance(self, dt: float, common: float, push: Push, season: Season) -> Flow:
        """Let `dt` seconds pass.

        `common` is the whole market's standard normal draw; `push` comes from outside.
        """
        draw = _COMMON * common + _OWN * float(self._rng.standard_normal())
        before = self.price
        net_usd = self._come_and_go(dt, season)
        closed = self._book.force(self.mark, self._held_away)
        sold, bought = (closed.usd(before, longs=side) if closed else 0.0 for side in (True, False))
        depth = math.exp(-_THINS * min(4, abs(self._momentum)))
        self._log += self._diffusion(dt, draw, season) + push.log_return
        self._log += self._impact.of_others(net_usd)
        self._log += self._impact.take(bought - sold, dt, depth)
        self._quote(dt)
        move = self._follow(before, dt)
        times = season.volume * push.volume_times
        free = self._volume.of(dt, times, self._level, move, self._momentum)
        planted = self._plant(dt, push.interest)
        usd = free.usd + sold + bought + planted
        return Flow(before, self.price, usd, free.bought_usd + bought + planted / 2, closed)

    def _warm(self) -> None:
        """Fill the book as if positions had been opened around this price for a while."""
        opened, _ = self._crowd.come(round(self.profile.accounts / PER_OPENING), 0.5)
        spread = self._rng.normal(0, _WARM_SPREAD, len(opened.usd))
        self._book.open(opened, self.price * np.exp(spread), 0.0)
        self._book.force(self.price, 0.0)
        units = self.profile.held_usd / self.price
        self._book.scale(units, units)

    def _come_and_go(self, dt: float, season: Season) -> float:
        """Let holders leave and others come; return what takers bought less sold, in USD."""
        on, profile = self._on, self.profile
        missing = 1 - (self._book.long_units + self._book.short_units) * self.price / (
            2 * profile.held_usd
        )
        busy = season.activity * math.exp(self._level / 2)
        coming = busy + missing * on.turnover_s / on.refill_s
        coming = max(_LEAST_COMING * busy, min(_MOST_COMING, coming))
        rate = profile.accounts / PER_OPENING / on.turnover_s * coming
        net = self._book.leave(self.price, dt, self._rng) * self.price
        if count := int(self._rng.poisson(rate * dt)):
            buys = 0.5 + 0.35 * math.tanh(self._momentum)
            opened, taken = self._crowd.come(count, buys)
            self._book.open(opened, self.price, self._impact.stays)
            net += taken
        return net

    def _diffusion(self, dt: float, draw: float, season: Season) -> float:
        rng, on, volatility = self._rng, self._on, self.profile.volatility
        self._level += -self._level * dt / _LEVEL_REVERTS_S + _LEVEL_SD * math.sqrt(
            2 * dt / _LEVEL_REVERTS_S
        ) * float(rng.standard_normal())
        days = dt / _DAY_S
        sd = volatility * math.exp(self._level - 0.15) * math.sqrt(days * season.activity)
        jump = _JUMP * volatility * float(rng.standard_normal())
        jumps = rng.random() < on.jumps_per_day * days
        pull = (self._log_start - self._log) * dt / on.pull_s
        return sd * draw + (jump if jumps else 0.0) + pull + on.drift * days

    def _quote(self, dt: float) -> None:
        away = self._impact.passes + self._impact.stays
        self.price = math.exp(self._log + self._impact.passes)
        self.high, self.low = max(self.high, self.price), min(self.low, self.price)
        self.index += (self.price - self.index) * (1 - math.exp(-dt / _INDEX_LAG_S))
        follows = 1 - math.exp(-dt / _MARK_LAG_S)
        self.mark += (self.price - self.mark) * follows
        self._held_away += (away - self._held_away) * follows

    def _follow(self, before: float, dt: float) -> float:
        """Let momentum and funding follow the price; return its log return."""
        move = math.log(self.price / before)
        usual = self.profile.volatility * math.sqrt(_MOMENTUM_S / _DAY_S)
        self._momentum += -self._momentum * dt / _MOMENTUM_S + move / usual
        self.funding_rate = max(-0.0005, min(0.0005, 0.0001 + self._momentum * 2e-5))
        return move

    def _plant(self, dt: float, growth: float) -> float:
        """Let the hedged open so much more, as a log share; return the USD traded for it."""
        more = self.open_interest * math.expm1(growth)
        self._hedged_units += more - self._hedged_units * dt / _INTEREST_STAYS_S
        return more * self.price
