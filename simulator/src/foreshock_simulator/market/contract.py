"""One simulated contract: its price, its holders, and the trades that both make."""

import math
from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.book import Closed, Floats, Side
from foreshock_simulator.market.profiles import Profile

_DAY_S: Final = 86_400.0
_IMPACT: Final = 0.8
"""Square-root impact's constant: a day's volume moves the price by most of a day's volatility."""
_IMPACT_DECAY_S: Final = 60.0
_PERMANENT: Final = 0.35
_MARK_LAG_S: Final = 4.0
_PULL_S: Final = 6 * 3600.0
_REFILL_S: Final = 150.0
_TURNOVER_S: Final = 1800.0
_VOL_REVERTS_S: Final = 6 * 3600.0
_VOL_SD: Final = 0.35
_MOMENTUM_S: Final = 60.0
_BUSIEST: Final = 6.0
_SLIPPAGE: Final = 0.0015
_LIMIT: Final = 0.012


class Liquidation(msgspec.Struct, frozen=True):
    """One position closed by force. `price` is what was paid on average, `limit` the order's."""

    longs: bool
    units: float
    price: float
    limit: float


class Trades(msgspec.Struct, frozen=True):
    """Trades of one step in their order: prices, units, whether the taker bought."""

    prices: Floats
    units: Floats
    buys: "np.typing.NDArray[np.bool_]"


class Step(msgspec.Struct, frozen=True):
    """What one step of a contract shows."""

    trades: Trades
    liquidations: tuple[Liquidation, ...]


class Contract:
    """One contract's market. All randomness comes from the generator handed in."""

    def __init__(self, profile: Profile, rng: Generator) -> None:
        self.profile = profile
        self.price = self.mark = self.index = self.high = self.low = profile.price
        self.funding_rate = 0.0001
        self._rng = rng
        self._log_start = math.log(profile.price)
        self._log = self._log_start
        self._forced = 0.0
        self._log_vol = 0.0
        self._momentum = 0.0
        self._longs = Side(profile.accounts // 2, longs=True)
        self._shorts = Side(profile.accounts // 2, longs=False)
        for side in (self._longs, self._shorts):
            side.warm(profile.price, profile.held_usd, rng)

    @property
    def open_interest(self) -> float:
        """Units open, counted once: the larger side, for hedged market makers hold the rest."""
        return max(self._longs.held, self._shorts.held)

    def step(self, dt: float, common: float, push: float) -> Step:
        """Let `dt` seconds pass.

        `common` is the whole market's standard normal draw; `push` is a log return from outside.
        """
        rng, profile = self._rng, self.profile
        self._log_vol += -self._log_vol * dt / _VOL_REVERTS_S + _VOL_SD * math.sqrt(
            2 * dt / _VOL_REVERTS_S
        ) * float(rng.standard_normal())
        sd = profile.volatility * math.exp(self._log_vol) * math.sqrt(dt / _DAY_S)
        draw = 0.7 * common + 0.714 * float(rng.standard_normal())
        pull = (self._log_start - self._log) * dt / _PULL_S
        self._log += sd * draw + push + pull
        before = self.price
        closed = self._force(dt)
        self.price = math.exp(self._log + self._displacement())
        self.high, self.low = max(self.high, self.price), min(self.low, self.price)
        self.index += (self.price - self.index) * (1 - math.exp(-dt / 2.0))
        self.mark += (self.price - self.mark) * (1 - math.exp(-dt / _MARK_LAG_S))
        move = math.log(self.price / before)
        self._momentum += -self._momentum * dt / _MOMENTUM_S + move
        self._refill(dt)
        self.funding_rate = max(-0.0005, min(0.0005, 0.0001 + self._momentum * 0.02))
        return Step(self._trades(dt, before, move, closed), self._prints(closed))

    def _force(self, dt: float) -> list[Closed]:
        found = (self._longs.liquidate(self.mark), self._shorts.liquidate(self.mark))
        closed = [each for each in found if each is not None]
        flow = sum(-c.total if c.longs else c.total for c in closed) * self.price
        self._forced = self._forced * math.exp(-dt / _IMPACT_DECAY_S) + flow
        self._log += _PERMANENT * self.profile.volatility * flow / self.profile.daily_usd
        return closed

    def _displacement(self) -> float:
        size = math.sqrt(abs(self._forced) / self.profile.daily_usd)
        return math.copysign(_IMPACT * self.profile.volatility * size, self._forced)

    def _refill(self, dt: float) -> None:
        profile, price = self.profile, self.price
        mean_usd = 2 * profile.held_usd / profile.accounts
        for side in (self._longs, self._shorts):
            side.close_some(dt / _TURNOVER_S)
            missing = profile.held_usd - side.held * price
            usd = max(0.0, missing) * dt / _REFILL_S + profile.held_usd * dt / _TURNOVER_S
            side.open(price, usd, mean_usd, self._rng)

    def _trades(self, dt: float, before: float, move: float, closed: list[Closed]) -> Trades:
        rng, profile = self._rng, self.profile
        usual = profile.volatility * math.sqrt(dt / _DAY_S)
        activity = min(_BUSIEST, 0.8 + 0.2 * abs(move) / usual)
        count = int(rng.poisson(profile.trades_per_s * dt * activity))
        mean_usd = profile.daily_usd / _DAY_S / profile.trades_per_s * 0.88
        usd = mean_usd * np.exp(rng.normal(-0.72, 1.2, count))
        buys = rng.random(count) < 0.5 + 0.35 * math.tanh(self._momentum / usual / 8)
        path = before + (self.price - before) * np.sort(rng.random(count))
        units = usd / self.price
        for each in closed:
            largest = np.sort(each.units)[-3:]
            units = np.concatenate([units, largest])
            path = np.concatenate([path, np.full(len(largest), self.price)])
            buys = np.concatenate([buys, np.full(len(largest), not each.longs)])
        lots = 10.0**profile.lot_decimals
        return Trades(path, np.maximum(1, np.round(units * lots)) / lots, buys)

    def _prints(self, closed: list[Closed]) -> tuple[Liquidation, ...]:
        prints: list[Liquidation] = []
        for each in closed:
            worse = -1 if each.longs else 1
            paid, limit = (self.price * (1 + worse * away) for away in (_SLIPPAGE, _LIMIT))
            lots = 10.0**self.profile.lot_decimals
            sizes = np.maximum(1, np.round(each.units * lots)) / lots
            prints.extend(Liquidation(each.longs, units, paid, limit) for units in sizes.tolist())
        return tuple(prints)
