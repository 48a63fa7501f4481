"""The venues' last good tickers, which stand in for a while when newer ones fail."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_exchanges.rest import Ticker

STANDS_MS: Final = 6 * 3_600_000
"""They tell of 24 hours: after 6, three quarters of what they tell is still so."""

_FRESH_MS: Final = 150_000
"""Prices are compared while they are at most two polls old."""


class _Read(msgspec.Struct, frozen=True):
    at_ms: int
    by_coin: Mapping[str, Ticker]


class Tickers:
    """By venue and coin."""

    def __init__(self) -> None:
        self._read: dict[str, _Read] = {}

    def learn(self, venue: str, by_coin: Mapping[str, Ticker], now_ms: int) -> None:
        """Take a venue's tickers, in the place of its last ones."""
        self._read[venue] = _Read(now_ms, by_coin)

    def heard(self, venue: str) -> bool:
        """Return whether the venue has ever told any."""
        return venue in self._read

    def fresh(self, now_ms: int) -> frozenset[str]:
        """Return the venues whose prices can be compared."""
        return frozenset(
            venue for venue, read in self._read.items() if now_ms - read.at_ms <= _FRESH_MS
        )

    def standing(self, now_ms: int) -> dict[str, dict[str, Ticker]]:
        """Return by coin the venues' tickers, as long as they stand."""
        found: dict[str, dict[str, Ticker]] = {}
        for venue, read in self._read.items():
            if now_ms - read.at_ms <= STANDS_MS:
                for coin, ticker in read.by_coin.items():
                    found.setdefault(coin, {})[venue] = ticker
        return found
