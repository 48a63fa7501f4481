"""Wiring: market topics in, limits and signals out, or into a file."""

from collections.abc import Sequence
from functools import partial
from typing import BinaryIO, Final

import msgspec

from foreshock_kit.clock import Clock
from foreshock_kit.errors import SettingsInvalid
from foreshock_kit.kafka import Past, Publisher, Publishing, Record, consume, reread
from foreshock_kit.service import Context, Replay, Service
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

TOPICS: Final = (MARKET_STATS, LIQUIDATIONS, OPEN_INTEREST, BARS)
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
            topics=TOPICS,
            on_records=partial(detect, owned, publisher, context.clock),
            publisher=publisher,
            rebuild_ms=_REBUILD_MS,
            first=[MARKET_STATS],
            on_assigned=partial(start_anew, owned),
        )


class WhatIf(msgspec.Struct, forbid_unknown_fields=True):
    """What a replay may be told instead of the settings in force."""

    dynamic_thresholds: bool | None = None
    volume_monitoring: bool | None = None


async def replay(settings: Settings, context: Context, order: Replay) -> None:
    """Write the signals of a stretch of the past into the file, a JSON object a line.

    Raises:
        SettingsInvalid: what it is told instead of the settings is none of them.
    """
    told = _what_if(order)
    dynamic, volume = told.dynamic_thresholds, told.volume_monitoring
    owned = Partitions(
        dynamic=settings.enable_dynamic_thresholds if dynamic is None else dynamic,
        volume=settings.enable_volume_monitoring if volume is None else volume,
    )
    past = Past(topics=TOPICS, from_ms=order.from_ms, to_ms=order.to_ms, rebuild_ms=_REBUILD_MS)
    with order.file.open("wb") as file:
        await reread(settings, context, past, partial(write, owned, file))


async def write(owned: Partitions, file: BinaryIO, records: Sequence[Record]) -> None:
    """Write the signals that follow from a batch, but for what is replayed."""
    for record in records:
        outputs = owned.on_event(record.event, record.evidence)
        for output in () if record.replayed else outputs:
            if isinstance(output, Signal):
                file.write(msgspec.json.encode(output) + b"\n")


def _what_if(order: Replay) -> WhatIf:
    try:
        return msgspec.json.decode(order.what_if or "{}", type=WhatIf)
    except msgspec.DecodeError as e:
        raise SettingsInvalid((f"--settings {order.what_if}: {e}",)) from e


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


SERVICE = Service("threshold-service", Settings, run, replay)
