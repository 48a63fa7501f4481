"""The original rule for single liquidations that are large for their coin."""

from foreshock_schemas.events import Evidence, Liquidation, Signal, Threshold
from foreshock_schemas.ids import derived_id
from threshold_service.domain import wording


def large(event: Liquidation, evidence: Evidence, limits: Threshold) -> Signal | None:
    """Return a signal if a liquidation alone reaches the coin's limit."""
    limit = limits.single_liquidation_usd
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
            f"{value / limit:.1f} x the limit, {wording.liquidation_limit(limits)}",
            *wording.circumstances(limits),
        ),
        value=value,
        limit=limit,
        unit="usd",
        window_s=0,
        position=event.position,
        direction="down" if event.position == "long" else "up",
        price=event.price,
        method=limits.method,
        exchanges=(event.exchange,),
        coverage=event.coverage,
        evidence=(evidence,),
    )
