"""Where to start reading a partition that has just been assigned."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from foreshock_kit.clock import Clock
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.kafka.connection import bounded
from foreshock_kit.settings import KafkaSettings

_LOOKUP_S: Final = 10.0


class Start(msgspec.Struct, frozen=True):
    """Where reading a partition begins.

    Below `live_from` records were done before; `end` was the log's end when we looked;
    `expired` records had been deleted before we could read them.
    """

    offset: int
    live_from: int
    end: int
    expired: int


class _Commit(msgspec.Struct, frozen=True):
    offset: int
    timestamp_ms: int | None


async def starts(
    consumer: AIOKafkaConsumer,
    settings: KafkaSettings,
    group: str,
    partitions: Collection[TopicPartition],
    rebuild_ms: Mapping[str, int | None],
    clock: Clock,
) -> dict[TopicPartition, Start]:
    """Look up where each partition starts: at its commit, or its window before that.

    Raises:
        Transient: the broker does not answer within 10 s.
    """
    if not partitions:
        return {}
    async with bounded(_LOOKUP_S, "looking up offsets"):
        committed, first, end = await _bounds(consumer, settings, group, partitions)
        found = {
            where: _start(committed.get(where), first[where], end[where]) for where in partitions
        }
        return await _rewound(consumer, found, committed, first, rebuild_ms, clock.now_ms())


async def _bounds(
    consumer: AIOKafkaConsumer,
    settings: KafkaSettings,
    group: str,
    partitions: Collection[TopicPartition],
) -> tuple[dict[TopicPartition, _Commit], dict[TopicPartition, int], dict[TopicPartition, int]]:
    where = list(partitions)
    committed = await _commits(settings, group, where)
    return committed, await consumer.beginning_offsets(where), await consumer.end_offsets(where)


async def _commits(
    settings: KafkaSettings, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, _Commit]:
    async with admin_client(settings) as admin:
        found = await admin.list_consumer_group_offsets(group, partitions=partitions)
    return {
        where: _Commit(commit.offset, int(commit.metadata) if commit.metadata.isdecimal() else None)
        for where, commit in found.items()
        if commit.offset >= 0
    }


def _start(commit: _Commit | None, first: int, end: int) -> Start:
    if commit is None:
        return Start(offset=first, live_from=first, end=end, expired=0)
    known = first <= commit.offset <= end
    live_from = commit.offset if known else first
    return Start(
        offset=live_from, live_from=live_from, end=end, expired=max(0, first - commit.offset)
    )


async def _rewound(
    consumer: AIOKafkaConsumer,
    found: dict[TopicPartition, Start],
    committed: Mapping[TopicPartition, _Commit],
    first: Mapping[TopicPartition, int],
    rebuild_ms: Mapping[str, int | None],
    now_ms: int,
) -> dict[TopicPartition, Start]:
    wanted: dict[TopicPartition, int] = {}
    rewound = dict(found)
    for where, commit in committed.items():
        window_ms = rebuild_ms.get(where.topic, 0)
        if window_ms is None:
            rewound[where] = msgspec.structs.replace(found[where], offset=first[where])
        elif window_ms > 0:
            wanted[where] = max(0, (commit.timestamp_ms or now_ms) - window_ms)
    times = await consumer.offsets_for_times(wanted) if wanted else {}
    for where, at in times.items():
        if at is not None and at.offset < found[where].live_from:
            rewound[where] = msgspec.structs.replace(found[where], offset=at.offset)
    return rewound
