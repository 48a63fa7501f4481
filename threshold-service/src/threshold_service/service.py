"""Wiring: market topics in, limits and signals out."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publisher, Publishing, Record, consume
from foreshock_kit.service import Context, Service
from foreshock_schemas.events import Signal
from foreshock_schemas.topics import (
    BARS,
    LIQUIDATIONS,
    MARKET_STATS,
    OPEN_INTEREST,
    SIGNALS,
    THRESHOLDS,
)
from threshold_service import metrics
from threshold_service.domain.detection import Output, Partitions
from threshold_service.settings import Settings

_MINUTE_MS: Final = 60_000
_REBUILD_MS: Final = {
    MARKET_STATS.name: None,
    LIQUIDATIONS.name: 2 * _MINUTE_MS,
    BARS.name: 16 * _MINUTE_MS,
    OPEN_INTEREST.name: 18 * _MINUTE_MS,
}
"""Each detector's window and some more, as records lie by the time of receipt."""


async def run(settings: Settings, context: Context) -> None:
    """Detect until told to stop; limits are rebuilt before the first market event is read."""
    owned = Partitions(
        dynamic=settings.enable_dynamic_thresholds, volume=settings.enable_volume_monitoring
    )
    async with Publisher(settings, context.name, context.clock, stop=context.stop) as publisher:
        await consume(
            settings,
            context,
            topics=[MARKET_STATS, LIQUIDATIONS, OPEN_INTEREST, BARS],
            on_records=partial(detect, owned, publisher, context.clock),
            publisher=publisher,
            rebuild_ms=_REBUILD_MS,
            first=[MARKET_STATS],
            on_assigned=partial(start_anew, owned),
        )


async def start_anew(owned: Partitions, assigned: set[tuple[str, int]]) -> None:
    """Drop what is held of newly assigned partitions: their windows are read again."""
    owned.forget({partition for _, partition in assigned})


async def detect(
    owned: Partitions, publisher: Publishing, clock: Clock, records: Sequence[Record]
) -> None:
    """Publish what follows from a batch; what is replayed only rebuilds the state."""
    for record in records:
        outputs = owned.on_event(record.event, record.evidence)
        if record.replayed:
            continue
        for output in outputs:
            await _publish(output, publisher, clock)


async def _publish(output: Output, publisher: Publishing, clock: Clock) -> None:
    if isinstance(output, Signal):
        await publisher.send(SIGNALS, output)
        metrics.SIGNALS.labels(output.kind).inc()
        metrics.LATENCY.observe((clock.now_ms() - output.ts_recv_ms) / 1000)
    else:
        await publisher.publish(THRESHOLDS, output)
        metrics.THRESHOLDS.labels(output.method).inc()


SERVICE = Service("threshold-service", Settings, run)
