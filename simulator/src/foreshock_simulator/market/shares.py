"""Which venue each trade and each liquidation belongs to."""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from foreshock_simulator.market.trades import Step, Trades

SHARES: Final[dict[str, float]] = {"binance": 0.45, "bybit": 0.30, "okx": 0.25}


class Dealer:
    """Deals what happens out to the venues, by their shares. The same seed deals the same."""

    def __init__(self, seed: int, shares: Mapping[str, float]) -> None:
        self._names = tuple(shares)
        self._edges = np.cumsum(list(shares.values()))[:-1]
        self._rng = np.random.default_rng([seed, 4])

    def deal(self, steps: Mapping[str, Step]) -> dict[str, dict[str, Step]]:
        """Return each venue's part of the steps, by venue and contract."""
        hands: dict[str, dict[str, Step]] = {name: {} for name in self._names}
        for symbol, step in steps.items():
            traders = self._owners(len(step.trades.units))
            forced = self._owners(len(step.liquidations)).tolist()
            for place, name in enumerate(self._names):
                theirs = zip(step.liquidations, forced, strict=True)
                hands[name][symbol] = Step(
                    _where(step.trades, traders == place),
                    tuple(each for each, owner in theirs if owner == place),
                )
        return hands

    def _owners(self, count: int) -> "np.typing.NDArray[np.int_]":
        return np.searchsorted(self._edges, self._rng.random(count), side="right")


def _where(trades: Trades, mine: "np.typing.NDArray[np.bool_]") -> Trades:
    return msgspec.structs.replace(
        trades, prices=trades.prices[mine], units=trades.units[mine], buys=trades.buys[mine]
    )
