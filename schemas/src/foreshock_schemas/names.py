"""Canonical coin names: one name for one coin, whatever a venue writes in front of it.

Venues quote cheap coins by the thousand or the million and say so in the symbol: 1000PEPE,
1MBABYDOGE, SHIB1000. Prices and amounts in events are for one real coin.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

WRITTEN: Final = "a coin is written in capital letters and digits, at most 20, like BTC or 1INCH"
_SHOWN: Final = 40
_COIN: Final = re.compile(r"[A-Z0-9]{1,20}")
_PREFIX: Final = re.compile(r"(1000000|100000|10000|1000|1M)(?=[A-Z])")
_SUFFIXED: Final = {"SHIB1000": ("SHIB", 1000.0)}
_MILLION: Final = "1M"
_ALIASES: Final = {"XBT": "BTC", "PUMPFUN": "PUMP", "NEIROCTO": "NEIRO"}


def is_coin(name: str) -> bool:
    """Return whether a name can be a coin's: adapters read no contract of any other."""
    return _COIN.fullmatch(name) is not None


def complaint(names: Iterable[str]) -> str | None:
    """Return what to write in place of the first that can be no coin's; None if all can."""
    wrong = next((name for name in names if not is_coin(name)), None)
    return None if wrong is None else f"{wrong[:_SHOWN]!r}; {WRITTEN}, and a comma between two"


@lru_cache(maxsize=4096)
def coin_of(base: str) -> tuple[str, float]:
    """Return the canonical coin of a venue's base asset, and how many coins one unit is.

    `1000PEPE` is (`PEPE`, 1000.0), `XBT` is (`BTC`, 1.0). Real tickers that begin with a digit
    (1INCH, 0G, 2Z) are left as they are: only whole powers of ten before a letter count.
    """
    base = base.upper()
    if base in _SUFFIXED:
        return _SUFFIXED[base]
    multiplier = 1.0
    if found := _PREFIX.match(base):
        multiplier = 1e6 if found[1] == _MILLION else float(found[1])
        base = base[found.end() :]
    return _ALIASES.get(base, base), multiplier
