"""A step's volume as single trades, and its closed positions as single liquidations."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from foreshock_simulator.market.book import Closed
from foreshock_simulator.market.profiles import Profile
from foreshock_simulator.market.traders import Flags, Floats

_DAY_S: Final = 86_400.0
_SIZE_SIGMA: Final = 1.2
_SLIPPAGE: Final = 0.0015
_LIMIT: Final = 0.012


class Liquidation(msgspec.Struct, frozen=True):
    """One position closed by force. `price` is what was paid on average, `limit` the order's.

    `induced`: earlier forced closings brought it about.
    """

    longs: bool
    units: float
    price: float
    limit: float
    induced: bool = False


class Trades(msgspec.Struct, frozen=True):
    """Trades of one step in their order: prices, units, whether the taker bought."""

    prices: Floats
    units: Floats
    buys: Flags


class Step(msgspec.Struct, frozen=True):
    """What one step of a contract shows."""

    trades: Trades
    liquidations: tuple[Liquidation, ...]


def trades(
    before: float, price: float, usd: float, bought_usd: float, profile: Profile, rng: Generator
) -> Trades:
    """Return trades of about `usd` on the way from one price to another."""
    mean_usd = profile.daily_usd / _DAY_S / profile.trades_per_s
    count = int(rng.poisson(usd / mean_usd))
    sizes = mean_usd * np.exp(rng.normal(-(_SIZE_SIGMA**2) / 2, _SIZE_SIGMA, count))
    buys = rng.random(count) < (bought_usd / usd if usd else 0.5)
    path = before + (price - before) * np.sort(rng.random(count))
    return Trades(path, _lots(sizes / price, profile), buys)


def prints(price: float, closed: Closed | None, profile: Profile) -> tuple[Liquidation, ...]:
    """Return the liquidations of positions closed at about this price."""
    if closed is None:
        return ()
    rows = zip(
        closed.longs.tolist(),
        _lots(closed.units, profile).tolist(),
        closed.induced.tolist(),
        strict=True,
    )
    return tuple(_print(price, longs, units, induced=induced) for longs, units, induced in rows)


def _print(price: float, longs: bool, units: float, *, induced: bool) -> Liquidation:
    worse = -1 if longs else 1
    paid, limit = (price * (1 + worse * away) for away in (_SLIPPAGE, _LIMIT))
    return Liquidation(longs, units, paid, limit, induced)


def _lots(units: Floats, profile: Profile) -> Floats:
    lots = 10.0**profile.lot_decimals
    rounded: Floats = np.maximum(1, np.round(units * lots)) / lots
    return rounded
