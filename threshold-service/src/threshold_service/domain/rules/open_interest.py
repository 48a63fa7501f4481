"""The original rule for open interest: it changes too much in a quarter of an hour."""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Final, Literal

import msgspec

from foreshock_schemas.events import Evidence, OpenInterest, Position, Signal, Threshold
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording
from threshold_service.domain.formulas import positive
from threshold_service.domain.rules.readings import WINDOW_MS, Readings
from threshold_service.domain.windows import Episode

REARM_SHARE: Final = 0.5


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    coins_then: float
    coins_now: float
    usd_now: float
    price_pct: float | None
    exchanges: tuple[str, ...]

    @property
    def pct(self) -> float:
        return (self.coins_now - self.coins_then) / self.coins_then * 100


class OpenInterestRule(msgspec.Struct):
    """Tells when a coin's open interest has changed too much in 15 min, once per episode.

    Coins are summed over the venues that are fresh at both ends, so that a venue that falls out,
    or counts in another way from now on, does not look like a change. Rises and falls are episodes
    of their own, over at half the limit.
    """

    venues: dict[str, Readings] = msgspec.field(default_factory=dict)
    rise: Episode = msgspec.field(default_factory=lambda: Episode(REARM_SHARE))
    fall: Episode = msgspec.field(default_factory=lambda: Episode(REARM_SHARE))

    def on_reading(
        self, event: OpenInterest, evidence: Evidence, limits: Threshold
    ) -> Signal | None:
        """Take a venue's reading; return a signal if an episode begins with it.

        Amounts of zero or less, NaN and infinity are no reading.
        """
        if positive(event.open_interest_coins) is None or positive(event.open_interest_usd) is None:
            return None
        venue = f"{event.exchange}:{event.symbol}"
        if venue not in self.venues:
            self.venues[venue] = Readings()
        self.venues[venue].add(event)
        change = _change(self.venues.values(), event.ts_event_ms)
        if change is None:
            return None
        limit, enough = limits.oi_change_pct, change.usd_now >= limits.oi_minimum_usd
        begins = [
            episode.begins(sign * change.pct, sign * change.pct if enough else 0.0, limit)
            for sign, episode in ((1, self.rise), (-1, self.fall))
        ]
        return _signal(event, change, limits, evidence) if any(begins) else None


def _change(venues: Iterable[Readings], now_ms: int) -> _Change | None:
    ends = [
        (then, now)
        for readings in venues
        if (now := readings.fresh(now_ms)) and (then := readings.before(now_ms))
    ]
    coins_then = fsum(then.open_interest_coins for then, _ in ends)
    if coins_then <= 0:
        return None
    return _Change(
        coins_then=coins_then,
        coins_now=fsum(now.open_interest_coins for _, now in ends),
        usd_now=fsum(now.open_interest_usd for _, now in ends),
        price_pct=_price_pct(ends),
        exchanges=tuple(sorted({now.exchange for _, now in ends})),
    )


def _price_pct(ends: Sequence[tuple[OpenInterest, OpenInterest]]) -> float | None:
    priced = [(then, now) for then, now in ends if then.mark_price > 0 and now.mark_price > 0]
    if not priced:
        return None
    largest_then, largest_now = max(
        priced, key=lambda each: (each[1].open_interest_coins, each[1].exchange, each[1].symbol)
    )
    return (largest_now.mark_price / largest_then.mark_price - 1) * 100


def _signal(
    event: OpenInterest, change: _Change, threshold: Threshold, evidence: Evidence
) -> Signal:
    value, limit = abs(change.pct), threshold.oi_change_pct
    meaning, position, direction = _reading_of(change)
    way = "rose" if change.pct > 0 else "fell"
    return Signal(
        event_id=derived_id("oi_explosion", event.coin, way, event.event_id),
        ts_event_ms=event.ts_event_ms,
        ts_recv_ms=event.ts_recv_ms,
        coin=event.coin,
        kind="oi_explosion",
        severity=wording.severity_of(value, limit, least="warning"),
        headline=(
            f"{event.coin}: open interest {way} {value:.1f} % in {WINDOW_MS // 60_000} min "
            f"to {wording.dollars(change.usd_now)} (limit {limit:.1f} %)"
        ),
        reasons=(
            *meaning,
            f"{change.coins_then:,.6g} to {change.coins_now:,.6g} {event.coin} "
            f"on {', '.join(change.exchanges)}",
            wording.oi_limit(threshold),
            *wording.circumstances(threshold),
        ),
        value=value,
        limit=limit,
        unit="pct",
        window_s=WINDOW_MS // 1000,
        position=position,
        direction=direction,
        price=event.mark_price if event.mark_price > 0 else None,
        method=threshold.method,
        exchanges=change.exchanges,
        coverage="full",
        evidence=(evidence,),
    )


def _reading_of(
    change: _Change,
) -> tuple[tuple[str, ...], Position | None, Literal["up", "down"] | None]:
    if not change.price_pct:
        return (), None, None
    meaning, position = wording.QUADRANTS[change.pct > 0, change.price_pct > 0]
    reason = f"price {change.price_pct:+.2f} % meanwhile: {meaning}"
    return (reason,), position, "up" if change.price_pct > 0 else "down"
