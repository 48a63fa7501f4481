"""Reading topics whole and without a group: what views, ledgers and the universe live on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from foreshock_kit.errors import Stopped
from foreshock_kit.kafka.cluster import partition_counts
from foreshock_kit.kafka.connection import bounded, stop_client
from foreshock_kit.kafka.dead_letters import DeadLetters
from foreshock_kit.kafka.merging import merged
from foreshock_kit.kafka.metrics import DEAD_LETTERS
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import poll, start_reader
from foreshock_kit.kafka.records import Record, Unreadable, read_all
from foreshock_kit.kafka.schema_ids import codec_of
from foreshock_kit.kafka.skipping import Skips
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic

_LOOKUP_S: Final = 10.0

_log = get_logger(__name__)


async def follow(
    settings: KafkaSettings,
    context: Context,
    topics: Sequence[Topic],
    on_record: Callable[[Record], None],
    *,
    since_ms: Mapping[str, int | None],
    caught_up: asyncio.Event,
    publisher: Publisher | None = None,
) -> None:
    """Give every record of all partitions to `on_record` until `context.stop` is set.

    A record that cannot be read is skipped; one that has come since the start goes to the
    topic's dead letters, if there is a publisher to take it there.

    Args:
        settings: Where the broker is.
        context: The service's.
        topics: What to read.
        on_record: Must be quick: nothing else runs meanwhile.
        since_ms: By topic name, how far back to start (ms; None: from the beginning; 0: now).
        caught_up: Set when all that was there at the start has been read.
        publisher: Takes the dead letters.

    Raises:
        DeadLetterLimit: too much of a topic is unreadable.
        Transient: the broker does not answer when asked for offsets.
        Permanent: the schema registry refuses a schema of ours.
    """
    try:
        codec = await codec_of(settings, stop=context.stop)
        consumer = await start_reader(
            settings, topics, stop=context.stop, client_id=f"{context.name}-view", group_id=None
        )
    except Stopped:
        return
    try:
        by_name = {topic.name: topic for topic in topics}
        since = {name: since_ms[name] for name in by_name}
        ends = await take_positions(consumer, settings, since, context.clock.now_ms())
        behind = dict(ends)
        letters = None if publisher is None else DeadLetters(topics, publisher)
        with Skips(_log, context.clock) as skips:
            while not context.stop.is_set():
                if not caught_up.is_set() and await _reached(consumer, behind):
                    caught_up.set()
                batches = await poll(consumer)
                if letters is not None:
                    letters.seen(batches)
                for item in read_all(merged(batches), by_name, {}, codec.decode):
                    if isinstance(item, Unreadable):
                        await _put_aside(item, letters, skips, ends)
                        continue
                    on_record(item)
                    if letters is not None and letters.in_trouble:
                        letters.readable(item.topic.name)
                skips.tell()
    finally:
        await stop_client(consumer)


async def _put_aside(
    item: Unreadable,
    letters: DeadLetters | None,
    skips: Skips,
    ends: Mapping[TopicPartition, int],
) -> None:
    if letters is not None and item.offset >= ends[item.where]:
        await letters.put_aside(item)
    else:
        DEAD_LETTERS.labels(item.topic.name, "skipped").inc()
        skips.note(item)


async def keep_following(
    group: asyncio.TaskGroup,
    settings: KafkaSettings,
    context: Context,
    since_ms: Mapping[Topic, int | None],
    on_record: Callable[[Record], None],
    publisher: Publisher | None = None,
) -> None:
    """Follow topics in `group`; return when all that they held is read, or at the stop."""
    caught_up = asyncio.Event()
    following = group.create_task(
        follow(
            settings,
            context,
            tuple(since_ms),
            on_record,
            since_ms={topic.name: back_ms for topic, back_ms in since_ms.items()},
            caught_up=caught_up,
            publisher=publisher,
        )
    )
    following.add_done_callback(lambda _: caught_up.set())
    await caught_up.wait()


async def take_positions(
    consumer: AIOKafkaConsumer,
    settings: KafkaSettings,
    since_ms: Mapping[str, int | None],
    now_ms: int,
) -> dict[TopicPartition, int]:
    """Seek everywhere and return the ends that are to be reached; `since_ms` as in `follow`.

    Raises:
        Transient: the broker does not answer.
    """
    async with bounded(_LOOKUP_S, "looking up offsets"):
        counts = await partition_counts(settings)
        everywhere = [
            TopicPartition(name, partition)
            for name in since_ms
            for partition in range(counts[name])
        ]
        first = await consumer.beginning_offsets(everywhere)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(everywhere)
        dated = {
            where: max(0, now_ms - back_ms)
            for where in everywhere
            if (back_ms := since_ms[where.topic])
        }
        found = await consumer.offsets_for_times(dated) if dated else {}
    consumer.assign(everywhere)
    for where in everywhere:
        at = found.get(where)
        if since_ms[where.topic] is None:
            consumer.seek(where, first[where])
        else:
            consumer.seek(where, ends[where] if at is None else at.offset)
    return ends


async def _reached(consumer: AIOKafkaConsumer, behind: dict[TopicPartition, int]) -> bool:
    async with bounded(_LOOKUP_S, "asking for positions"):
        for where in tuple(behind):
            if await consumer.position(where) < behind[where]:
                return False
            del behind[where]
    return True
