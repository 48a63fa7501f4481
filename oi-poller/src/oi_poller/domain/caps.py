"""Market capitalisation: the first source that knows a coin, and is not about another one."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

_SAME_PRICE: Final = 0.05
"""Two coins may share a ticker: prices further apart than this are not the same coin's."""


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """One coin's market capitalisation in USD; `price` is the source's own, if it gives one."""

    coin: str
    usd: float
    price: float | None
    source: str
    ts_ms: int


def choose(
    coin: str, price: float | None, sources: Iterable[Mapping[str, tuple[Cap, ...]]]
) -> Cap | None:
    """Return the largest plausible cap in the first source that has one.

    A cap that comes with a price more than 5 % away from the coin's is another coin's.
    """
    for source in sources:
        plausible = [cap for cap in source.get(coin, ()) if _same_coin(cap, price)]
        if plausible:
            return max(plausible, key=lambda cap: cap.usd)
    return None


def _same_coin(cap: Cap, price: float | None) -> bool:
    if cap.price is None or not price:
        return True
    return abs(cap.price / price - 1) <= _SAME_PRICE
