"""What Kraken Futures calls its products.

https://docs.kraken.com/api-reference/instrument-details/get-instruments
`PI_` is a perpetual of inverse contracts, one USD each; `PF_` a linear one, in coins; `FI_` and
`FF_` have an end; `in_` and `rr_` are indices. Frames write them in capitals, instruments of
earlier years in small letters.
"""

import re
from typing import Final

from foreshock_exchanges.base import Unsized

_PERPETUAL: Final = re.compile(r"(P[IF])_([A-Z0-9]{1,20})USD")
_INVERSE: Final = "PI"


def normal(symbol: str) -> str:
    """Return a product as frames write it."""
    return symbol.upper()


def perpetual(symbol: str) -> tuple[str, bool] | None:
    """Return the base of a perpetual against USD, and whether it is inverse; else nothing."""
    found = _PERPETUAL.fullmatch(normal(symbol))
    return (found[2], found[1] == _INVERSE) if found else None


def unsized(symbol: str) -> Unsized | None:
    """Take a perpetual as ours, of a size that only its instrument tells."""
    return Unsized(symbol) if perpetual(symbol) else None
