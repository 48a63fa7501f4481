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

    Below `live_from` records were done before, and below `settled` some coins' state has them;
    `end` was the log's end when we looked; `expired` records had been deleted before we could
    read them.
    """

    offset: int
    live_from: int
    settled: int
    end: int
    expired: int


class Commit(msgspec.Struct, frozen=True):
    """What a group has committed of a partition: where it goes on, and the time of that."""

    offset: int
    timestamp_ms: int


class Wanted(msgspec.Struct, frozen=True):
    """How far before its commit each partition is to be read.

    `rebuild_ms` has by topic name how long before (None: from the beginning); `needed`, which
    goes before it, the first and the last offset that a snapshot of the partition goes on from.
    """

    rebuild_ms: Mapping[str, int | None]
    needed: Mapping[TopicPartition, tuple[int, int]]


async def starts(
    consumer: AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    committed: Mapping[TopicPartition, Commit],
    wanted: Wanted,
) -> dict[TopicPartition, Start]:
    """Look up where each partition starts: at its commit, or as far before it as is wanted.

    Raises:
        Transient: the broker does not answer within 10 s.
    """
    if not partitions:
        return {}
    async with bounded(_LOOKUP_S, "looking up offsets"):
        first = await consumer.beginning_offsets(list(partitions))
        end = await consumer.end_offsets(list(partitions))
        found = {
            where: _start(committed.get(where), first[where], end[where]) for where in partitions
        }
        needed = {w: span for w, span in wanted.needed.items() if w in found and span[1] <= end[w]}
        commits = {where: commit for where, commit in committed.items() if where not in needed}
        rewound = await _rewound(consumer, found, commits, first, wanted.rebuild_ms)
        return rewound | {
            where: _from_snapshot(found[where], first[where], *span)
            for where, span in needed.items()
        }


async def commits_of(
    settings: KafkaSettings, group: str, partitions: Collection[TopicPartition], clock: Clock
) -> dict[TopicPartition, Commit]:
    """Return what the group has committed of the partitions.

    Raises:
        Transient: the broker does not answer within 10 s.
    """
    if not partitions:
        return {}
    async with bounded(_LOOKUP_S, "looking up commits"), admin_client(settings) as admin:
        found = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
    now_ms = clock.now_ms()
    return {
        where: Commit(
            commit.offset, int(commit.metadata) if commit.metadata.isdecimal() else now_ms
        )
        for where, commit in found.items()
        if commit.offset >= 0
    }


def _start(commit: Commit | None, first: int, end: int) -> Start:
    if commit is None:
        return Start(offset=first, live_from=first, settled=first, end=end, expired=0)
    known = first <= commit.offset <= end
    live_from = commit.offset if known else first
    return Start(
        offset=live_from,
        live_from=live_from,
        settled=live_from,
        end=end,
        expired=max(0, first - commit.offset),
    )


def _from_snapshot(start: Start, first: int, low: int, high: int) -> Start:
    return msgspec.structs.replace(
        start,
        offset=max(first, low),
        settled=max(start.live_from, high),
        expired=max(0, first - low),
    )


async def _rewound(
    consumer: AIOKafkaConsumer,
    found: dict[TopicPartition, Start],
    committed: Mapping[TopicPartition, Commit],
    first: Mapping[TopicPartition, int],
    rebuild_ms: Mapping[str, int | None],
) -> dict[TopicPartition, Start]:
    wanted: dict[TopicPartition, int] = {}
    rewound = dict(found)
    for where, commit in committed.items():
        window_ms = rebuild_ms.get(where.topic, 0)
        if window_ms is None:
            rewound[where] = msgspec.structs.replace(found[where], offset=first[where])
        elif window_ms > 0:
            wanted[where] = max(0, commit.timestamp_ms - window_ms)
    times = await consumer.offsets_for_times(wanted) if wanted else {}
    for where, at in times.items():
        if at is not None and at.offset < found[where].live_from:
            rewound[where] = msgspec.structs.replace(found[where], offset=at.offset)
    return rewound
