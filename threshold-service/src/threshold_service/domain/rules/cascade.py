"""The original rule for cascades: too much of one side liquidated within a minute."""

from typing import Final

import msgspec

from foreshock_schemas.events import Coverage, Evidence, Liquidation, Position, Signal, Threshold
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording
from threshold_service.domain.formulas import CASCADE_TIMES
from threshold_service.domain.windows import Episode, RollingSum, cents_of

WINDOW_S: Final = 60
FEWEST: Final = 3
"""Liquidations that make a cascade, if they reach the limit together."""

REARM_SHARE: Final = 0.5
EVIDENCE: Final = 20
"""Records that a signal lists: the latest of its window."""


class Side(msgspec.Struct):
    """One side's last minute, and whether a cascade runs."""

    window: RollingSum = msgspec.field(default_factory=lambda: RollingSum(WINDOW_S * 1000))
    episode: Episode = msgspec.field(default_factory=lambda: Episode(REARM_SHARE))
    coverages: dict[str, Coverage] = msgspec.field(default_factory=dict)
    latest: list[tuple[int, Evidence]] = msgspec.field(default_factory=list)

    def note(self, ms: int, evidence: Evidence) -> None:
        """Keep what may become a signal's evidence, the latest `EVIDENCE` records."""
        self.latest.append((ms, evidence))
        if len(self.latest) > EVIDENCE:
            del self.latest[0]

    def evidence(self) -> tuple[Evidence, ...]:
        """Return the latest records that still count."""
        return tuple(each for ms, each in self.latest if self.window.covers(ms))


class CascadeRule(msgspec.Struct):
    """Tells of a cascade once per episode, when the sum over the window reaches the limit.

    An episode ends once the sum has fallen to half the limit.
    """

    sides: dict[Position, Side] = msgspec.field(default_factory=dict)

    def on_liquidation(
        self, event: Liquidation, evidence: Evidence, limits: Threshold
    ) -> Signal | None:
        """Count a liquidation; return a signal if a cascade begins with it."""
        side = self.sides.get(event.position)
        if side is None:
            side = self.sides[event.position] = Side()
        window, at_ms = side.window, event.ts_event_ms
        window.advance(at_ms)
        if not window.covers(at_ms):
            return None
        before_usd = window.cents / 100
        window.add(at_ms, event.exchange, cents_of(event.notional_usd), 1)
        side.coverages[event.exchange] = event.coverage
        side.note(at_ms, evidence)
        value = window.cents / 100 if window.tally >= FEWEST else 0.0
        if not side.episode.begins(before_usd, value, limits.cascade_usd):
            return None
        return _signal(event, side, limits)


def _signal(event: Liquidation, side: Side, threshold: Threshold) -> Signal:
    value, limit = side.window.cents / 100, threshold.cascade_usd
    exchanges = side.window.tags()
    coverage = wording.coverage_of({side.coverages[exchange] for exchange in exchanges})
    return Signal(
        event_id=derived_id("cascade", event.coin, event.position, event.event_id),
        ts_event_ms=event.ts_event_ms,
        ts_recv_ms=event.ts_recv_ms,
        coin=event.coin,
        kind="cascade",
        severity=wording.severity_of(value, limit, least="warning"),
        headline=(
            f"{event.coin}: {wording.floor_word(coverage)}{wording.dollars(value)} of "
            f"{event.position}s liquidated in {WINDOW_S} s (limit {wording.dollars(limit)})"
        ),
        reasons=(
            f"{side.window.tally} liquidations on {', '.join(exchanges)}",
            f"limit {wording.dollars(limit)} = {CASCADE_TIMES:g} x "
            f"{wording.liquidation_limit(threshold)}",
            *wording.circumstances(threshold),
        ),
        value=value,
        limit=limit,
        unit="usd",
        window_s=WINDOW_S,
        position=event.position,
        direction="down" if event.position == "long" else "up",
        price=event.price,
        method=threshold.method,
        exchanges=exchanges,
        coverage=coverage,
        evidence=side.evidence(),
    )
