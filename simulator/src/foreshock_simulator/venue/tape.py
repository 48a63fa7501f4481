"""The trades of one contract on one venue: numbered without a gap, the newest kept."""

from collections import deque
from typing import Final

import msgspec

from foreshock_simulator.market.trades import Trades
from foreshock_simulator.venue.listing import Listing

_KEPT: Final = 2000
_FIRST: Final = 1_000_000
_FIRST_FILL: Final = 5_000_000


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One taker order at one price. `first` to `last` number its single fills."""

    number: int
    first: int
    last: int
    price: str
    lots: int
    size: str
    buys: bool
    time_ms: int


class Tape:
    """Numbers a contract's trades and remembers the newest."""

    def __init__(self, listing: Listing) -> None:
        self.kept: deque[Fill] = deque(maxlen=_KEPT)
        self._listing = listing
        self._number = _FIRST
        self._fill = _FIRST_FILL

    def take(self, trades: Trades, from_ms: int, to_ms: int) -> list[Fill]:
        """Return the trades of one step, spread over its time."""
        count = len(trades.units)
        rows = zip(trades.prices.tolist(), trades.units.tolist(), trades.buys.tolist(), strict=True)
        fills = [
            self._next(price, units, buys, from_ms + (to_ms - from_ms) * place // count)
            for place, (price, units, buys) in enumerate(rows)
        ]
        self.kept.extend(fills)
        return fills

    def _next(self, price: float, units: float, buys: bool, time_ms: int) -> Fill:
        lots = self._listing.lots(units)
        fills = min(lots, 1 + self._number % 3)
        fill = Fill(
            number=self._number,
            first=self._fill,
            last=self._fill + fills - 1,
            price=self._listing.price(price),
            lots=lots,
            size=self._listing.size(lots),
            buys=buys,
            time_ms=time_ms,
        )
        self._number += 1
        self._fill += fills
        return fill
