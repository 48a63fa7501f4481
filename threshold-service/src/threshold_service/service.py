"""Wiring: market topics in, limits and signals out; in a replay, signals into a file."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from foreshock_kit.clock import Clock
from foreshock_kit.errors import SettingsInvalid
from foreshock_kit.kafka import (
    Past,
    Publisher,
    Publishing,
    Record,
    consume,
    keep_following,
    reread,
)
from foreshock_kit.service import Context, Replay, Service
from foreshock_schemas.events import DetectorSettings, Signal, SignalKind
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import (
    BARS,
    FEED_HEALTH,
    KLINES,
    LIQUIDATIONS,
    MARKET_STATS,
    OPEN_INTEREST,
    SETTINGS,
    SIGNALS,
    THRESHOLDS,
)
from threshold_service import metrics
from threshold_service.domain.coin import Output
from threshold_service.domain.detection import Partitions
from threshold_service.domain.world import BUDGETS, EVERYWHERE, WhatIf, World
from threshold_service.settings import PerDay, Settings

TOPICS: Final = (MARKET_STATS, KLINES, LIQUIDATIONS, OPEN_INTEREST, BARS)
_MINUTE_MS: Final = 60_000
_REBUILD_MS: Final = {
    MARKET_STATS.name: None,
    LIQUIDATIONS.name: 2 * _MINUTE_MS,
    BARS.name: 16 * _MINUTE_MS,
    OPEN_INTEREST.name: 18 * _MINUTE_MS,
}
"""How far back to read without a snapshot: each rule's window, and some more for late records."""

_WORLD_MS: Final = 26 * 60 * _MINUTE_MS
"""How far back states of feeds are read: over a day, as long as a service may have been away."""

_COIN: Final = attrgetter("coin")


async def run(settings: Settings, context: Context) -> None:
    """Detect until told to stop; limits are rebuilt before the first market event is read."""
    told = told_by(settings, context.clock.now_ms())
    world = World(told)
    owned = Partitions(world)
    metrics.LEARNING.set_function(lambda: owned.learning)
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        await keep_following(
            group,
            settings,
            context,
            {SETTINGS: None, FEED_HEALTH: _WORLD_MS},
            lambda record: world.on_event(record.event),
        )
        if context.stop.is_set():
            return
        await tell(told, world, publisher)
        await consume(
            settings,
            context,
            topics=TOPICS,
            on_records=partial(detect, owned, publisher, context.clock),
            publisher=publisher,
            rebuild_ms=_REBUILD_MS,
            first=[MARKET_STATS],
            state=owned,
        )


def told_by(settings: Settings, now_ms: int) -> DetectorSettings:
    """Return what the environment says, as an event."""
    return DetectorSettings(
        event_id=derived_id("settings", EVERYWHERE, now_ms),
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        scope=EVERYWHERE,
        dynamic_thresholds=settings.enable_dynamic_thresholds,
        volume_monitoring=settings.enable_volume_monitoring,
        budgets={
            "volume_spike": settings.volume_alerts_per_day,
            "oi_explosion": settings.oi_alerts_per_day,
            "liquidation": settings.liquidation_alerts_per_day,
            "cascade": settings.cascade_alerts_per_day,
        },
        changed_by="environment",
    )


async def tell(told: DetectorSettings, world: World, publisher: Publishing) -> None:
    """Put the environment's settings on their topic, unless its last ones are the same.

    What a user has set since then holds until the environment changes.
    """
    before = world.latest_by("environment")
    if (
        before is not None
        and replace(
            told,
            event_id=before.event_id,
            ts_event_ms=before.ts_event_ms,
            ts_recv_ms=before.ts_recv_ms,
        )
        == before
    ):
        return
    await publisher.send(SETTINGS, told)


async def replay(settings: Settings, context: Context, order: Replay) -> None:
    """Write the signals of a stretch of the past into the file, a JSON object a line.

    Raises:
        SettingsInvalid: the order supposes a setting that does not exist, or cannot be so.
    """
    now_ms = context.clock.now_ms()
    world = World(told_by(settings, now_ms), _what_if(order))
    owned = Partitions(world)
    past = Past(
        topics=TOPICS,
        from_ms=order.from_ms,
        to_ms=order.to_ms,
        rebuild_ms=_REBUILD_MS,
        state=owned,
    )
    back_ms = max(0, now_ms - order.from_ms) + _WORLD_MS
    beside = Context(context.name, clock=context.clock)
    with order.writing() as file:
        async with asyncio.TaskGroup() as group:
            await keep_following(
                group,
                settings,
                beside,
                {SETTINGS: None, FEED_HEALTH: back_ms},
                lambda record: world.on_event(record.event),
            )
            await reread(settings, context, past, partial(write, owned, file))
            beside.stop.set()


async def write(owned: Partitions, file: BinaryIO, records: Sequence[Record]) -> None:
    """Write the signals that follow from a batch; what is replayed only rebuilds the state."""
    for record, outputs in zip(records, follows(owned, records), strict=True):
        for output in () if record.replayed else outputs:
            if isinstance(output, Signal):
                file.write(msgspec.json.encode(output) + b"\n")


def _what_if(order: Replay) -> WhatIf:
    try:
        what_if = msgspec.json.decode(order.what_if or "{}", type=WhatIf)
        msgspec.convert(what_if.budgets, dict[SignalKind, PerDay])
    except msgspec.DecodeError as e:
        switches = [name for name in WhatIf.__struct_fields__ if name != "budgets"]
        known = ", ".join([*switches, *(f"budgets.{kind}" for kind in BUDGETS)])
        raise SettingsInvalid((f"what if {order.what_if}: {e}; there are: {known}",)) from e
    return what_if


async def detect(
    owned: Partitions, publisher: Publishing, clock: Clock, records: Sequence[Record]
) -> None:
    """Publish what follows from a batch; what is replayed only rebuilds the state."""
    refused = owned.refused
    for record, outputs in zip(records, follows(owned, records), strict=True):
        for output in () if record.replayed else outputs:
            await _publish(output, publisher, clock)
    metrics.REFUSED.inc(owned.refused - refused)


def follows(owned: Partitions, records: Sequence[Record]) -> list[Sequence[Output]]:
    """Return what follows from each record.

    They are taken coin by coin, so that a coin's state is in the processor's caches when its next
    record comes; coins do not know of one another.
    """
    found: list[Sequence[Output]] = [()] * len(records)
    for place in _by_coin(records):
        record = records[place]
        found[place] = owned.on_event(record.event, record.evidence)
    return found


def _by_coin(records: Sequence[Record]) -> Iterator[int]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        places[_COIN(record.event)].append(place)
    return chain.from_iterable(places.values())


async def _publish(output: Output, publisher: Publishing, clock: Clock) -> None:
    if isinstance(output, Signal):
        await publisher.send(SIGNALS, output)
        metrics.SIGNALS.labels(output.kind).inc()
        if output.why is not None:
            metrics.HELD_BACK.labels(output.kind).inc(output.why.held_back)
        metrics.LATENCY.observe((clock.now_ms() - output.ts_recv_ms) / 1000)
    else:
        await publisher.publish(THRESHOLDS, output)
        metrics.THRESHOLDS.labels(output.method).inc()


SERVICE = Service("threshold-service", Settings, run, replay)
