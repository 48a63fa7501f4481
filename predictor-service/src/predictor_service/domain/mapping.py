"""Zone maps, one a minute: a coin's open interest over all exchanges, anchored at the full hour."""

from typing import Final

import msgspec

from foreshock_schemas.events import OpenInterest, ZoneMap
from foreshock_schemas.ids import derived_id
from predictor_service.domain import baseline

_HOUR_MS: Final = 3_600_000
_FRESH_MS: Final = 5 * 60_000


class _Coin(msgspec.Struct):
    by_exchange: dict[str, OpenInterest]
    anchor_ms: int = 0
    anchor_price: float = 0.0


class Mapper:
    """Makes a coin's zone map at each reading of open interest, its only clock and source.

    The anchor is the mark price of the hour's first reading: a second source would have to win
    by arriving first, and a replay would decide otherwise.
    """

    def __init__(self) -> None:
        self._coins: dict[str, _Coin] = {}

    def on_open_interest(self, reading: OpenInterest) -> ZoneMap:
        """Return the coin's zones as of this reading."""
        coin = self._coins.get(reading.coin)
        if coin is None:
            coin = self._coins[reading.coin] = _Coin({})
        coin.by_exchange[reading.exchange] = reading
        hour_ms = reading.ts_event_ms - reading.ts_event_ms % _HOUR_MS
        if hour_ms > coin.anchor_ms:
            coin.anchor_ms, coin.anchor_price = hour_ms, reading.mark_price
        fresh = [
            each
            for each in coin.by_exchange.values()
            if reading.ts_event_ms - each.ts_event_ms <= _FRESH_MS
        ]
        funding = _funding_8h(fresh)
        inputs = baseline.Inputs(
            price=reading.mark_price,
            anchor_price=coin.anchor_price,
            open_interest_usd=sum(each.open_interest_usd for each in fresh),
            funding_rate_8h=funding or 0.0,
        )
        return ZoneMap(
            event_id=derived_id("zones", reading.event_id),
            ts_event_ms=reading.ts_event_ms,
            ts_recv_ms=reading.ts_recv_ms,
            coin=reading.coin,
            model=baseline.MODEL,
            price=inputs.price,
            anchor_price=inputs.anchor_price,
            anchor_ms=coin.anchor_ms,
            open_interest_usd=inputs.open_interest_usd,
            funding_rate_8h=funding,
            estimated_leverage=baseline.estimated_leverage(inputs.funding_rate_8h),
            long_ratio=baseline.long_ratio(inputs.funding_rate_8h),
            zones=baseline.zones(inputs),
        )


def _funding_8h(readings: list[OpenInterest]) -> float | None:
    """Return the funding rate per 8 h, weighted by open interest."""
    known = [
        (r.open_interest_usd, r.funding_rate * 8 / r.funding_interval_h)
        for r in readings
        if r.funding_rate is not None and r.funding_interval_h
    ]
    weight = sum(usd for usd, _ in known)
    return sum(usd * rate for usd, rate in known) / weight if weight else None
