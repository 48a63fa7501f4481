"""Candles of history, which wait until all those of their venue are there."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

import msgspec

from foreshock_schemas.events import Kline
from threshold_service.domain.adaptive.baseline import Candle
from threshold_service.domain.surroundings import SETTLED_MS

QUIET_MS: Final = 60_000
"""Once no candle has come for so long, the venue's history is taken to be complete."""

_MOST: Final = 5_000
_recv_ms = attrgetter("ts_recv_ms")
_start_ms = attrgetter("start_ms")


class Warmup(msgspec.Struct):
    """Gives a venue's candles back oldest first, in whatever order their pages came."""

    waiting: dict[str, list[Candle]] = {}

    def add(self, kline: Kline) -> None:
        """Keep a candle: the latest 5,000 of each venue and interval."""
        candles = self.waiting.setdefault(f"{kline.exchange} {kline.interval}", [])
        candles.append(Candle.of(kline))
        if len(candles) > _MOST:
            del candles[0]

    def take(self, recv_ms: int) -> Iterator[Candle]:
        """Yield, once, the candles that an event received at `recv_ms` may know of."""
        settled_ms = recv_ms - SETTLED_MS
        for key in [key for key, them in self.waiting.items() if _is_whole(them, settled_ms)]:
            candles = self.waiting.pop(key)
            known = bisect_right(candles, settled_ms, key=_recv_ms)
            if known < len(candles):
                self.waiting[key] = candles[known:]
            yield from sorted(candles[:known], key=_start_ms)


def _is_whole(candles: list[Candle], settled_ms: int) -> bool:
    if candles[0].ts_recv_ms > settled_ms - QUIET_MS:
        return False
    known = bisect_right(candles, settled_ms, key=_recv_ms)
    return candles[known - 1].ts_recv_ms <= settled_ms - QUIET_MS
