"""Liquidations as the venues show them: when, where, and whether all of them."""

from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from foreshock_schemas.events import Coverage, Liquidation, Position
from foreshock_schemas.ids import content_id
from foreshock_simulator.market.traders import Flags, Floats
from foreshock_simulator.offline.day import STEP_MS, Day
from foreshock_simulator.offline.troubles import Troubles
from foreshock_simulator.offline.venues import Terms

_SLIPPAGE: Final = 0.0015
_JITTER_MS: Final = 120


class Forced(msgspec.Struct, frozen=True):
    """A day's liquidations in order of time, a column each; `venues` are places in a tuple."""

    at_ms: NDArray[np.int64]
    venues: NDArray[np.int64]
    longs: Flags
    units: Floats
    usd: Floats
    price: Floats
    induced: Flags


def forced(day: Day, venues: tuple[Terms, ...], rng: Generator) -> Forced:
    """Return all liquidations of a day, spread over their steps and dealt to the venues."""
    closings, count = day.closings, len(day.closings.steps)
    steps, part = closings.steps, rng.random(count)
    at_ms = day.start_ms + steps * STEP_MS + (part * STEP_MS).astype(np.int64)
    near = day.before[steps] + (day.price[steps] - day.before[steps]) * part
    price = near * np.where(closings.longs, 1 - _SLIPPAGE, 1 + _SLIPPAGE)
    edges = np.cumsum([venue.share for venue in venues])[:-1]
    owners = np.searchsorted(edges, rng.random(count), side="right")
    usd = closings.units * price
    columns = (at_ms, owners, closings.longs, closings.units, usd, price, closings.induced)
    return _in_order(Forced(*columns))


def shuffle(rows: Forced, day: Day, rng: Generator) -> Forced:
    """Return the liquidations of a day at any time of it, each at the price of that time."""
    at_ms = day.start_ms + rng.integers(0, len(day) * STEP_MS, len(rows.at_ms))
    price = day.price[(at_ms - day.start_ms) // STEP_MS]
    moved = msgspec.structs.replace(rows, at_ms=at_ms, price=price, usd=rows.units * price)
    return _in_order(moved)


def largest(rows: Forced, place: int, day: Day) -> Floats:
    """Return the largest liquidation of each step on one venue, in USD."""
    mine = rows.venues == place
    steps = (rows.at_ms[mine] - day.start_ms) // STEP_MS
    found = np.zeros(len(day))
    np.maximum.at(found, steps, rows.usd[mine])
    return found


def shown(
    rows: Forced, place: int, day: Day, venue: Terms, troubles: Troubles, rng: Generator
) -> list[Liquidation]:
    """Return what one venue tells of them: all, or the largest of each while."""
    mine = np.flatnonzero(rows.venues == place)
    waits = venue.delay_ms + rng.integers(0, _JITTER_MS, len(mine))
    kept: dict[tuple[int, int], Liquidation] = {}
    for row, wait in zip(mine.tolist(), waits.tolist(), strict=True):
        at_ms = int(rows.at_ms[row])
        every_ms = troubles.shows_every_ms(venue, at_ms)
        window = (every_ms, at_ms // every_ms) if every_ms else (0, row)
        known = kept.get(window)
        if known is None or known.notional_usd < rows.usd[row]:
            end_ms = (at_ms // every_ms + 1) * every_ms if every_ms else at_ms
            coverage: Coverage = "sampled" if every_ms else "full"
            kept[window] = _liquidation(rows, row, day.coin, venue, end_ms + wait, coverage)
    return list(kept.values())


def _in_order(rows: Forced) -> Forced:
    order = np.argsort(rows.at_ms, kind="stable")
    return Forced(*(column[order] for column in msgspec.structs.astuple(rows)))


def _liquidation(
    rows: Forced, row: int, coin: str, venue: Terms, recv_ms: int, coverage: Coverage
) -> Liquidation:
    position: Position = "long" if rows.longs[row] else "short"
    symbol, at_ms = venue.symbol.format(coin), int(rows.at_ms[row])
    units, price = float(rows.units[row]), float(rows.price[row])
    said = (position, at_ms, units, price)
    return Liquidation(
        event_id=content_id(venue.name, symbol, "liquidations", *said),
        ts_event_ms=at_ms,
        ts_recv_ms=recv_ms,
        exchange=venue.name,
        symbol=symbol,
        coin=coin,
        position=position,
        price=price,
        size_coins=units,
        notional_usd=units * price,
        coverage=coverage,
    )
