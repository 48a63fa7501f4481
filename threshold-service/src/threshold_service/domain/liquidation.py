"""Single liquidations that are large for their coin."""

from foreshock_schemas.events import Evidence, Liquidation, Signal
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording
from threshold_service.domain.book import Book


class LiquidationDetector:
    """Tells of every liquidation that reaches its coin's limit."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def on_liquidation(self, event: Liquidation, evidence: Evidence) -> Signal | None:
        """Return a signal if this one alone reaches the limit."""
        threshold = self._book.at(event.coin, event.ts_event_ms)
        limit = threshold.single_liquidation_usd
        if not limit <= event.notional_usd < float("inf"):
            return None
        value, amount = event.notional_usd, wording.dollars(event.notional_usd)
        return Signal(
            event_id=derived_id("liquidation", event.coin, event.position, event.event_id),
            ts_event_ms=event.ts_event_ms,
            ts_recv_ms=event.ts_recv_ms,
            coin=event.coin,
            kind="liquidation",
            severity=wording.severity_of(value, limit),
            headline=(
                f"{event.coin}: {amount} {event.position} liquidated on {event.exchange} "
                f"at {event.price:,.6g} (limit {wording.dollars(limit)})"
            ),
            reasons=(
                f"{value / limit:.1f} x the limit, {wording.liquidation_limit(threshold)}",
                *wording.circumstances(threshold),
            ),
            value=value,
            limit=limit,
            unit="usd",
            window_s=0,
            position=event.position,
            direction="down" if event.position == "long" else "up",
            price=event.price,
            method=threshold.method,
            exchanges=(event.exchange,),
            coverage=event.coverage,
            evidence=(evidence,),
        )
