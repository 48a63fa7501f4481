"""Finding the snapshots to go on from, and the offsets to read from then."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition

from foreshock_kit.kafka.positions import Commit
from foreshock_kit.kafka.records import Decode, Record, Unreadable, read
from foreshock_kit.kafka.skipping import Skips
from foreshock_kit.kafka.snapshots import HOUR_MS, Saved
from foreshock_kit.kafka.spans import Logs, Offsets, open_logs
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import StateSnapshot
from foreshock_schemas.topics import STATE

_LOOK_BACK_MS: Final = (HOUR_MS + 300_000, 25 * HOUR_MS)

_log = get_logger(__name__)


def needed(saved: Saved) -> dict[TopicPartition, tuple[int, int]]:
    """Return, for each log, the lowest and the highest offset that a snapshot goes on from."""
    found: dict[TopicPartition, tuple[int, int]] = {}
    for coins in saved.values():
        for snapshot in coins.values():
            for log, at in snapshot.offsets.items():
                topic, _, partition = log.rpartition(":")
                where = TopicPartition(topic, int(partition))
                low, high = found.get(where, (at, at))
                found[where] = min(low, at), max(high, at)
    return found


async def load(
    settings: KafkaSettings,
    context: Context,
    committed: Mapping[TopicPartition, Commit],
    decode: Decode,
) -> Saved:
    """Return each coin's newest snapshot, for the partitions that have a commit.

    Raises:
        Stopped: the service was told to stop meanwhile.
        Transient: the broker does not answer.
    """
    around_ms: dict[int, int] = {}
    for where, commit in committed.items():
        at_ms = around_ms.get(where.partition, 0)
        around_ms[where.partition] = max(at_ms, commit.timestamp_ms)
    if not around_ms:
        return {}
    name = f"{context.name}-state"
    async with open_logs(settings, [STATE], name=name, stop=context.stop) as logs:
        return await find(logs, context.name, around_ms, decode)


async def find(
    logs: Logs,
    service: str,
    around_ms: Mapping[int, int],
    decode: Decode,
    *,
    until_ms: int | None = None,
) -> dict[int, dict[str, StateSnapshot]]:
    """Return each coin's newest snapshot, for those of the partitions asked for that have any.

    Looks back for an hour, then a day, then to the beginning.

    Args:
        logs: The state topic.
        service: Whose snapshots.
        around_ms: By partition, the time from which to look back.
        decode: Reads records.
        until_ms: A snapshot must be older than this time; None: may be of any time.

    Raises:
        Transient: the broker does not answer.
    """
    found: dict[int, dict[str, StateSnapshot]] = {}
    ends: Offsets = logs.ends
    if until_ms is not None:
        # An hour more, for older snapshots may lie behind newer ones of other coins
        ends = await logs.at(dict.fromkeys(logs.ends, until_ms + HOUR_MS))
    with Skips(_log) as skips:
        for back_ms in (*_LOOK_BACK_MS, None):
            missing = around_ms.keys() - found.keys()
            if not missing:
                break
            starts = logs.first
            if back_ms is not None:
                since_ms = min(around_ms[partition] for partition in missing) - back_ms
                starts = await logs.at(dict.fromkeys(logs.ends, since_ms))
            async for raws in logs.read(starts, ends):
                for snapshot in _snapshots(raws, service, decode, skips):
                    _keep(found, snapshot, missing, until_ms)
            ends = starts
    return found


def _snapshots(
    raws: Iterable[Any], service: str, decode: Decode, skips: Skips
) -> Iterable[StateSnapshot]:
    prefix = f"{service}:".encode()
    for raw in raws:
        if raw.key is None or not raw.key.startswith(prefix):
            continue
        item = read(STATE, raw, True, decode)
        if isinstance(item, Record) and isinstance(item.event, StateSnapshot):
            yield item.event
        elif isinstance(item, Unreadable):
            skips.note(item)


def _keep(
    found: dict[int, dict[str, StateSnapshot]],
    snapshot: StateSnapshot,
    wanted: Collection[int],
    until_ms: int | None,
) -> None:
    log = next(iter(snapshot.offsets), ":-1")
    partition = int(log.rpartition(":")[2])
    if partition not in wanted or (until_ms is not None and snapshot.ts_event_ms >= until_ms):
        return
    coins = found.setdefault(partition, {})
    held = coins.get(snapshot.coin)
    if held is None or snapshot.ts_event_ms >= held.ts_event_ms:
        coins[snapshot.coin] = snapshot
