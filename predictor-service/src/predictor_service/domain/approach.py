"""Warnings: the price has come within 2 % of a zone that matters."""

from collections import deque
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Evidence, Severity, Signal, Zone, ZoneMap
from foreshock_schemas.ids import derived_id

NEAR_PCT: Final = 2.0
MAJOR_USD: Final = 10_000_000
_CRITICAL_USD: Final = 100_000_000
_SETTLED_MS: Final = 30_000
"""A map is used from 30 s after its time on, so that a race between topics changes nothing."""


class _Coin(msgspec.Struct):
    maps: deque[tuple[ZoneMap, Evidence]]
    anchor_ms: int = 0
    done: set[tuple[str, float]] = msgspec.field(default_factory=set)


class Approach:
    """Warns once of each zone of an anchor's hour, and never of one that the price has passed.

    Bars are its only clock.
    """

    def __init__(self) -> None:
        self._coins: dict[str, _Coin] = {}

    def on_map(self, zone_map: ZoneMap, evidence: Evidence) -> None:
        """Take a coin's newest zones; `evidence` is the record that they were made from."""
        coin = self._coins.get(zone_map.coin)
        if coin is None:
            coin = self._coins[zone_map.coin] = _Coin(deque(maxlen=8))
        coin.maps.append((zone_map, evidence))

    def on_bar(self, bar: Bar, evidence: Evidence) -> list[Signal]:
        """Return a warning for each major zone that the price has newly come near."""
        coin = self._coins.get(bar.coin)
        price = bar.mark_price or bar.close
        if coin is None or price is None:
            return []
        settled_ms = bar.ts_event_ms - _SETTLED_MS
        settled = [each for each in coin.maps if each[0].ts_event_ms <= settled_ms]
        if not settled:
            return []
        zone_map, source = settled[-1]
        if zone_map.anchor_ms != coin.anchor_ms:
            coin.anchor_ms, coin.done = zone_map.anchor_ms, set()
        return [
            self._warning(zone_map, zone, bar, price, (source, evidence))
            for zone in zone_map.zones
            if self._is_news(coin, zone, price)
        ]

    def _is_news(self, coin: _Coin, zone: Zone, price: float) -> bool:
        key = (zone.position, zone.leverage or 0.0)
        if key in coin.done or zone.expected_usd <= MAJOR_USD:
            return False
        ahead = price > zone.price if zone.position == "long" else price < zone.price
        near = abs(zone.price - price) / price * 100 < NEAR_PCT
        if near or not ahead:
            coin.done.add(key)
        return near and ahead

    def _warning(
        self,
        zone_map: ZoneMap,
        zone: Zone,
        bar: Bar,
        price: float,
        evidence: tuple[Evidence, ...],
    ) -> Signal:
        distance = (zone.price - price) / price * 100
        severity: Severity = "critical" if zone.expected_usd >= _CRITICAL_USD else "warning"
        way = "below" if distance < 0 else "above"
        millions = zone.expected_usd / 1e6
        return Signal(
            event_id=derived_id(
                "zone", bar.coin, zone_map.anchor_ms, zone.position, zone.leverage or 0.0
            ),
            ts_event_ms=bar.ts_event_ms,
            ts_recv_ms=bar.ts_recv_ms,
            coin=bar.coin,
            kind="zone_warning",
            severity=severity,
            headline=(
                f"{bar.coin}: price is {abs(distance):.1f} % from where about ${millions:,.0f}M "
                f"of {zone.position}s would be liquidated ({zone.price:,.6g}, {way})"
            ),
            reasons=_reasons(zone_map, zone),
            value=zone.expected_usd,
            limit=float(MAJOR_USD),
            unit="usd",
            window_s=0,
            position=zone.position,
            direction="down" if distance < 0 else "up",
            price=price,
            method=zone_map.model,
            exchanges=(bar.exchange,),
            coverage="full",
            evidence=evidence,
        )


def _reasons(zone_map: ZoneMap, zone: Zone) -> tuple[str, ...]:
    anchor, leverage = zone_map.anchor_price, zone.leverage or 0.0
    held, share = zone_map.open_interest_usd / 1e6, zone_map.long_ratio
    return (
        f"{leverage:.0f}x {zone.position}s opened at {anchor:,.6g}, the first price of the hour",
        f"open interest ${held:,.0f}M, {share:.0%} of it taken for longs by funding's sign",
        f"rough ({zone_map.model}, confidence {zone.confidence:.0%}): sizes are only relative",
    )
