"""One coin's money over the last hour, in ten-second buckets."""

from collections import deque
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Liquidation

_BUCKET_MS: Final = 10_000
_HOUR_MS: Final = 3_600_000
_LIQUIDATIONS_KEPT: Final = 4_000
"""Of one coin; Binance shows 3,600 an hour at most."""
_BUCKETS: Final = _HOUR_MS // _BUCKET_MS + 1


class Flow(msgspec.Struct, frozen=True):
    """Money traded in a window, and the part that takers bought; USD. `since_ms`: first seen."""

    traded_usd: float
    bought_usd: float
    since_ms: int

    @property
    def delta_usd(self) -> float:
        """What takers bought less what they sold."""
        return 2 * self.bought_usd - self.traded_usd


class _Bucket:
    __slots__ = ("bought", "start_ms", "traded")

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.traded = 0.0
        self.bought = 0.0


class Trading:
    """What was traded. Bars of several exchanges are summed; late money is nobody's side."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque(maxlen=_BUCKETS)
        self._first_ms: int | None = None

    def add(self, bar: Bar) -> None:
        """Count a bar; one older than the last bucket is counted in the last."""
        start_ms = bar.start_ms - bar.start_ms % _BUCKET_MS
        if self._first_ms is None:
            self._first_ms = bar.start_ms
        if not self._buckets or start_ms > self._buckets[-1].start_ms:
            self._buckets.append(_Bucket(start_ms))
        bucket = self._buckets[-1]
        bucket.traded += bar.notional_usd + bar.late_notional_usd
        bucket.bought += bar.taker_buy_usd + bar.late_notional_usd / 2

    def over(self, window_ms: int, now_ms: int) -> Flow | None:
        """Return the money of a window that ends now; `None` if no bar was ever seen."""
        if self._first_ms is None:
            return None
        found = [b for b in self._buckets if b.start_ms >= now_ms - window_ms]
        return Flow(
            sum(b.traded for b in found),
            sum(b.bought for b in found),
            max(self._first_ms, now_ms - window_ms),
        )


class Liquidations:
    """The newest liquidations of one coin."""

    def __init__(self) -> None:
        self._newest: dict[str, Liquidation] = {}

    def add(self, liquidation: Liquidation) -> None:
        """Count a liquidation; one that was written twice counts once."""
        self._newest.setdefault(liquidation.event_id, liquidation)
        if len(self._newest) > _LIQUIDATIONS_KEPT:
            del self._newest[next(iter(self._newest))]

    def since(self, ms: int) -> list[Liquidation]:
        """Return those from a time on, in the order they came."""
        return [each for each in self._newest.values() if each.ts_event_ms >= ms]
