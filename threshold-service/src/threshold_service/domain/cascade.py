"""Liquidation cascades: too much of one side of one coin closed by force, too fast."""

from collections import deque
from typing import Final

from foreshock_schemas.events import Coverage, Evidence, Liquidation, Position, Signal, Threshold
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording
from threshold_service.domain.book import Book
from threshold_service.domain.engine import CASCADE_TIMES
from threshold_service.domain.windows import Episode, RollingSum, cents_of

WINDOW_S: Final = 60
FEWEST: Final = 3
REARM_SHARE: Final = 0.5
EVIDENCE: Final = 20


class _Side:
    __slots__ = ("coverages", "episode", "latest", "window")

    def __init__(self) -> None:
        self.window = RollingSum(WINDOW_S * 1000)
        self.episode = Episode(REARM_SHARE)
        self.coverages: dict[str, Coverage] = {}
        self.latest: deque[tuple[int, Evidence]] = deque(maxlen=EVIDENCE)

    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(each for ms, each in self.latest if self.window.covers(ms))


class CascadeDetector:
    """Tells of a cascade once per episode, when the sum over the window reaches the limit.

    An episode ends once the sum has fallen to half the limit.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._sides: dict[tuple[str, Position], _Side] = {}

    def on_liquidation(self, event: Liquidation, evidence: Evidence) -> Signal | None:
        """Count a liquidation; return a signal if a cascade begins with it."""
        key = (event.coin, event.position)
        side = self._sides.get(key)
        if side is None:
            side = self._sides[key] = _Side()
        window, at_ms = side.window, event.ts_event_ms
        window.advance(at_ms)
        if not window.covers(at_ms):
            return None
        before_usd = window.cents / 100
        window.add(at_ms, event.exchange, cents_of(event.notional_usd), 1)
        side.coverages[event.exchange] = event.coverage
        side.latest.append((at_ms, evidence))
        threshold = self._book.at(event.coin, at_ms)
        value = window.cents / 100 if window.tally >= FEWEST else 0.0
        if not side.episode.begins(before_usd, value, threshold.cascade_usd):
            return None
        return _signal(event, side, threshold)


def _signal(event: Liquidation, side: _Side, threshold: Threshold) -> Signal:
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
