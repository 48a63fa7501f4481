"""Reading a stretch of the past again: the same records in order, from the state before it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition

from foreshock_kit.kafka.inbox import note_expired
from foreshock_kit.kafka.job import Handler
from foreshock_kit.kafka.reader import MOST_RECORDS
from foreshock_kit.kafka.records import Decode, Record, read
from foreshock_kit.kafka.recovery import find, needed
from foreshock_kit.kafka.schema_ids import codec_of
from foreshock_kit.kafka.skipping import Skips
from foreshock_kit.kafka.snapshots import Saved, Stateful, log_of, restore
from foreshock_kit.kafka.spans import Logs, open_logs
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import STATE, Topic

_SAY_EVERY_S: Final = 1.0

_log = get_logger(__name__)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What to read again: what these topics have from `from_ms` to before `to_ms`.

    `state` is given back its snapshots of before; a partition without one is read from its
    beginning. `rebuild_ms` has, by topic name, how far before `from_ms` to start where snapshots
    do not name the topic (None: at the beginning). `late_ms` is by how much the records that lie
    before a record in its log may be newer than it (None: by any time).
    """

    topics: Sequence[Topic]
    from_ms: int
    to_ms: int
    rebuild_ms: Mapping[str, int | None] = {}
    late_ms: int | None = 60_000
    state: Stateful | None = None


async def reread(
    settings: KafkaSettings, context: Context, past: Past, on_records: Handler
) -> None:
    """Hand over the records of all partitions, the oldest receive times first.

    Starts where each coin's newest snapshot before `past.from_ms` ends, and at a partition's
    beginning where there is none; a warning says whose beginning Kafka no longer has. A record
    received before `past.from_ms`, or at `past.to_ms` or later, comes with `replayed`. How far it
    has come is logged each second.

    Raises:
        Stopped: the service was told to stop.
        Transient: the broker does not answer.
        Permanent: the schema registry refuses a schema of ours.
    """
    codec = await codec_of(settings, stop=context.stop)
    name = f"{context.name}-replay"
    async with open_logs(settings, past.topics, name=name, stop=context.stop) as logs:
        saved = await _saved(settings, context, past, logs, codec.decode)
        starts = await _starts(logs, past, saved)
        ends = logs.ends
        if past.late_ms is not None:
            ends = await logs.at(dict.fromkeys(logs.ends, past.to_ms + past.late_ms))
        said_s = context.clock.monotonic()
        with Skips(_log, context.clock) as skips:
            decoder = _Decoder(past, codec.decode, skips)
            async for raws in logs.read(starts, ends):
                for first in range(0, len(raws), MOST_RECORDS):
                    await on_records(decoder.records(raws[first : first + MOST_RECORDS]))
                if context.clock.monotonic() >= said_s + _SAY_EVERY_S:
                    said_s = context.clock.monotonic()
                    _log.info("replaying", at_ms=raws[-1].timestamp)
                skips.tell()


async def received(
    settings: KafkaSettings, context: Context, topic: Topic, from_ms: int, to_ms: int
) -> list[Record]:
    """Return a topic's records that were received from `from_ms` to before `to_ms`.

    Raises:
        Stopped: the service was told to stop.
        Transient: the broker does not answer.
    """
    found: list[Record] = []

    async def keep(records: Sequence[Record]) -> None:
        found.extend(record for record in records if not record.replayed)

    past = Past(topics=[topic], from_ms=from_ms, to_ms=to_ms, late_ms=None)
    await reread(settings, context, past, keep)
    return found


class _Decoder:
    def __init__(self, past: Past, decode: Decode, skips: Skips) -> None:
        self._topics = {topic.name: topic for topic in past.topics}
        self._past = past
        self._decode = decode
        self._skips = skips

    def records(self, raws: Sequence[Any]) -> list[Record]:
        found = []
        for raw in raws:
            within = self._past.from_ms <= raw.timestamp < self._past.to_ms
            item = read(self._topics[raw.topic], raw, not within, self._decode)
            if isinstance(item, Record):
                found.append(item)
            elif item is not None:
                self._skips.note(item)
        return found


async def _saved(
    settings: KafkaSettings,
    context: Context,
    past: Past,
    logs: Logs,
    decode: Decode,
) -> Saved:
    if past.state is None:
        return {}
    filled = {where.partition for where, end in logs.ends.items() if logs.first[where] < end}
    around_ms = dict.fromkeys(filled, past.from_ms)
    name = f"{context.name}-state"
    async with open_logs(settings, [STATE], name=name, stop=context.stop) as states:
        saved = await find(states, context.name, around_ms, decode, until_ms=past.from_ms)
    taken = restore(past.state, saved, {log_of(where): end for where, end in logs.ends.items()})
    if anew := {where.partition for where, first in logs.first.items() if first > 0} - taken.keys():
        _log.warning(
            "replay_without_state",
            why=f"partitions without a usable snapshot from before this time, of which Kafka no "
            f"longer has the beginning: {len(anew)}; their coins learn anew from what it has, and "
            "signals may differ",
        )
    return taken


async def _starts(logs: Logs, past: Past, saved: Saved) -> dict[TopicPartition, int]:
    starts = dict(logs.first)
    dated = {
        where: past.from_ms - back_ms
        for where in logs.first
        if (back_ms := past.rebuild_ms.get(where.topic, 0)) is not None
        and (past.state is None or where.partition in saved)
    }
    starts |= await logs.at(dated)
    for where, (low, _) in needed(saved).items():
        if where in starts and past.rebuild_ms.get(where.topic, 0) is not None:
            starts[where] = max(low, logs.first[where])
            if starts[where] > low:
                note_expired(where, starts[where] - low, going_on_at=starts[where])
    return starts
