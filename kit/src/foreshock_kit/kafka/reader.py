"""What every reader of topics shares: its options, its start, its lag."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from foreshock_kit.errors import Transient
from foreshock_kit.kafka.cluster import partition_counts
from foreshock_kit.kafka.connection import bounded, client_options, start_client
from foreshock_kit.kafka.metrics import LAG
from foreshock_kit.kafka.pacing import pace_empty_fetches
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic

Batches = Mapping[TopicPartition, Sequence[Any]]

MOST_RECORDS: Final = 2_000
POLL_S: Final = 0.25
_POSITION_S: Final = 2.0
_OPTIONS: Final = {
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "fetch_max_wait_ms": 50,
    "fetch_max_bytes": 8 * 1024 * 1024,
    "max_partition_fetch_bytes": 256 * 1024,
}


async def start_reader(
    settings: KafkaSettings,
    topics: Sequence[Topic],
    *,
    stop: asyncio.Event,
    on_wait: Callable[[str], None] | None = None,
    **options: Any,
) -> AIOKafkaConsumer:
    """Start a consumer that subscribes to nothing yet, once the topics exist.

    Raises:
        Stopped: `stop` was set first.
    """

    def make() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**client_options(settings), **_OPTIONS, **options)

    async def topics_exist(_: AIOKafkaConsumer) -> None:
        missing = {topic.name for topic in topics} - set(await partition_counts(settings))
        if missing:
            unseen = ", or this user may not see them" if settings.kafka_sasl_username else ""
            raise Transient(
                f"topics are missing{unseen}: {', '.join(sorted(missing))}; "
                "create them with `foreshock topics --create`"
            )

    consumer = await start_client(settings, make, check=topics_exist, on_wait=on_wait, stop=stop)
    pace_empty_fetches(consumer)
    return consumer


async def poll(consumer: AIOKafkaConsumer) -> Batches:
    """Return what there is to read, or nothing after a quarter of a second.

    A rebalance makes `getmany` wait without end, therefore a second bound.

    Raises:
        Transient: the client has given up (not allowed, or replaced by a namesake).
    """
    try:
        async with asyncio.timeout(4 * POLL_S):
            found: Batches = await consumer.getmany(
                timeout_ms=round(POLL_S * 1000), max_records=MOST_RECORDS
            )
            return found
    except TimeoutError:
        return {}
    except KafkaError as error:
        raise Transient(f"Kafka: polling failed: {error!r}") from error


def check(consumer: AIOKafkaConsumer) -> None:
    """See whether the client is still at work; one without partitions says nothing by itself.

    Raises:
        Transient: the client has given up.
    """
    try:
        consumer._coordinator.check_errors()  # noqa: SLF001  only `getmany` calls it
    except KafkaError as error:
        raise Transient(f"Kafka: the group's client has ended: {error!r}") from error


async def behind(
    consumer: AIOKafkaConsumer,
    fetched: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> set[TopicPartition]:
    """Return the partitions that are known to have more to read than was fetched.

    Args:
        consumer: Its last fetches tell where each log ends now.
        fetched: The offset after the last record that came, of each partition.
        ends: Where each log ended when it was looked up.

    Raises:
        Transient: a position is not known within 2 s.
    """
    found = set()
    async with bounded(_POSITION_S, "asking for positions"):
        for where, position in fetched.items():
            end = max(ends[where], consumer.highwater(where) or 0)
            # What was compacted away is skipped by the client, unseen by us
            if position < end and await consumer.position(where) < end:
                found.add(where)
    return found


def report_lag(consumer: AIOKafkaConsumer, positions: Iterable[tuple[TopicPartition, int]]) -> None:
    """Set the lag gauges from what the last fetches told."""
    for where, position in positions:
        end = consumer.highwater(where)
        if end is not None:
            LAG.labels(where.topic, where.partition).set(max(0, end - position))


def forget_lag(partitions: Iterable[TopicPartition]) -> None:
    """Drop the gauges of partitions that are another member's now."""
    for where in partitions:
        LAG.remove(where.topic, where.partition)
