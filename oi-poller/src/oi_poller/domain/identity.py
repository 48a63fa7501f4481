"""Whether two venues mean the same coin by a ticker: their prices tell."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from foreshock_exchanges.rest import Ticker

AGREE: Final = 0.05
"""How far a price may lie from the leading venue's, as a share of that."""

PATIENCE_MS: Final = 30 * 60_000
"""How long prices have to tell otherwise: in a crash one coin's may part for minutes."""


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """A contract whose price says that it is another coin's."""

    exchange: str
    symbol: str
    coin: str
    price: float
    leader: str
    leader_price: float


class Identities:
    """Judges by price; the venue with the most volume says what a ticker means.

    The first judgement holds at once, a change of it after half an hour. Without the leader's
    fresh price what was judged stands.
    """

    def __init__(self) -> None:
        self._same: dict[tuple[str, str], bool] = {}
        self._doubted_ms: dict[tuple[str, str], int] = {}

    def recall(self, venue: str, coin: str, *, followed: bool) -> None:
        """Take a venue's contract for the coin's if it was followed; else prices will tell."""
        if followed:
            self._same[venue, coin] = True
        else:
            self._same.pop((venue, coin), None)

    def is_coin(self, venue: str, coin: str) -> bool:
        """Return whether the venue's contract was judged to be the coin's."""
        return self._same.get((venue, coin), False)

    def strangers(self, venue: str) -> frozenset[str]:
        """Return the tickers that mean another coin on this venue."""
        return frozenset(
            coin for (where, coin), same in self._same.items() if where == venue and not same
        )

    def judge(
        self, coin: str, tickers: Mapping[str, Ticker], fresh: Collection[str], now_ms: int
    ) -> list[Stranger]:
        """Judge a coin's contracts by the tickers that are fresh; return the new strangers."""
        leader = max(tickers, key=lambda venue: (tickers[venue].volume_24h_usd, venue))
        if leader not in fresh:
            return []
        price = tickers[leader].last_price
        return [
            Stranger(
                exchange=venue,
                symbol=ticker.symbol,
                coin=coin,
                price=ticker.last_price,
                leader=leader,
                leader_price=price,
            )
            for venue, ticker in tickers.items()
            if venue in fresh
            and self._turns(venue, coin, abs(ticker.last_price / price - 1) <= AGREE, now_ms)
            and not self._same[venue, coin]
        ]

    def _turns(self, venue: str, coin: str, same: bool, now_ms: int) -> bool:
        """Take what prices tell now; return whether the judgement has changed with it."""
        key = venue, coin
        if self._same.get(key) is same:
            self._doubted_ms.pop(key, None)
            return False
        since_ms = self._doubted_ms.setdefault(key, now_ms)
        if key in self._same and now_ms - since_ms < PATIENCE_MS:
            return False
        del self._doubted_ms[key]
        self._same[key] = same
        return True
