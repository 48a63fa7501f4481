"""Reading topics as a member of a group: at least once, with explicit commits."""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from foreshock_kit.errors import Stopped
from foreshock_kit.kafka.connection import stop_client
from foreshock_kit.kafka.job import Handler, Hook, Job
from foreshock_kit.kafka.membership import PART, Membership
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.reader import start_reader
from foreshock_kit.kafka.schema_ids import codec_of
from foreshock_kit.kafka.snapshots import Stateful
from foreshock_kit.service import Context
from foreshock_kit.settings import ServiceSettings
from foreshock_schemas.topics import STATE, Topic

_SESSION_MS: Final = 30_000
_HEARTBEAT_MS: Final = 3_000


async def consume(
    settings: ServiceSettings,
    context: Context,
    *,
    topics: Sequence[Topic],
    on_records: Handler,
    publisher: Publisher,
    rebuild_ms: Mapping[str, int | None] | None = None,
    first: Sequence[Topic] = (),
    state: Stateful | None = None,
    on_assigned: Hook | None = None,
    on_revoked: Hook | None = None,
    group: str | None = None,
) -> None:
    """Hand the topics' records to `on_records` until `context.stop` is set.

    Within a partition the log's order is kept. An offset is committed after `on_records` has
    returned and the publisher is flushed, about once a second, when a partition is taken
    away, and at the end. Every instance is a static member, so that a restart within the
    session timeout (30 s) finds its partitions where it left them; one that reads other topics
    than before joins as a new member, because a broker gives a known one what it had.

    Args:
        settings: The service's; `instance_id` tells its instances apart.
        context: The service's; readiness of "kafka" follows assignment, rebuild and broker.
        topics: What to read.
        on_records: Called with up to 2,000 records, the oldest receive times first, also across
            calls as long as anything is known to be unread.
        publisher: Flushed before commits; takes the dead letters.
        rebuild_ms: By topic name, how far before the committed time to start (ms; None: from
            the beginning); such records come with `replayed`.
        first: Of `topics`, those to read to their end before the others are handed over.
        state: What is kept in Kafka for the service: written every hour (at first more often), when
            partitions are taken away and at the end, and given back before a partition's first
            record. Reading then starts where the oldest of a partition's snapshots goes on,
            whatever `rebuild_ms` says, but for the `first`; what has no snapshot is rebuilt.
        on_assigned: Called with (topic, partition) pairs before their first record.
        on_revoked: Called with the pairs that were taken away, after their last commit.
        group: The consumer group; `foreshock-<service>` unless told.

    Raises:
        Transient: the broker does not take what is published or committed.
        DeadLetterLimit: too much of a topic is unreadable.
        Permanent: the schema registry refuses a schema of ours.
    """
    group = group or f"foreshock-{context.name}"

    def wait(why: str) -> None:
        context.ready(PART, ok=False, why=why)

    wait("connecting")
    try:
        codec = await codec_of(settings, on_wait=wait, stop=context.stop)
        consumer = await start_reader(
            settings,
            topics if state is None else [*topics, STATE],
            stop=context.stop,
            on_wait=wait,
            client_id=context.name,
            group_id=group,
            group_instance_id=_member_name(context.name, settings.instance_id, topics),
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
        )
    except Stopped:
        return
    job = Job(
        group=group,
        topics=topics,
        on_records=on_records,
        publisher=publisher,
        decode=codec.decode,
        rebuild_ms=rebuild_ms or {},
        first=frozenset(topic.name for topic in first),
        state=state,
        on_assigned=on_assigned,
        on_revoked=on_revoked,
    )
    try:
        with suppress(Stopped):
            await Membership(consumer, settings, context, job).run()
    finally:
        await stop_client(consumer)


def _member_name(service: str, instance_id: str, topics: Sequence[Topic]) -> str:
    names = ",".join(sorted(topic.name for topic in topics))
    return f"{service}-{instance_id}-{zlib.crc32(names.encode()):08x}"
