"""Which coin or command somebody means, and what they may have meant."""

import difflib
import re
from collections.abc import Collection
from typing import Final

_QUOTES: Final = re.compile(r"[-_/]?(USDT|USDC|USD|PERP|SWAP)$")
_LONGEST: Final = 20


def canonical(word: str) -> str:
    """Return the coin in what somebody typed: `$btc`, `BTC-USDT`, `btcusdt` are BTC."""
    name = word.strip().lstrip("$#").upper()
    while (shorter := _QUOTES.sub("", name)) not in {name, ""}:
        name = shorter
    return name


def nearest(word: str, known: Collection[str], most: int = 3) -> list[str]:
    """Return the names most like a word, best first."""
    return difflib.get_close_matches(word[:_LONGEST], known, n=most, cutoff=0.5)
