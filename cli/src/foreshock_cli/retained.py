"""What Kafka still has of a time that was asked for."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_kit.kafka.spans import Logs, Offsets

DAY_MS: Final = 86_400_000
_LEAST_MS: Final = 60_000


class Retained(msgspec.Struct, frozen=True):
    """Since when each topic has all that was written to it, and the newest record's time; ms."""

    since_ms: Mapping[str, int]
    until_ms: int

    def days(self, topic: str) -> float:
        """Return how many days a topic holds, a minute at least."""
        return max(self.until_ms - self.since_ms[topic], _LEAST_MS) / DAY_MS


async def retained(logs: Logs, span: tuple[int, int]) -> Retained | None:
    """Return what the logs have of a time, from its first ms to before its second; None: nothing.

    - A topic that holds records from before the time: all of it.
    - One that lost records: since the oldest of each partition that lost any.
    - One that never lost any: as long as the others.

    Raises:
        Stopped: the logs are to be read no more.
        Transient: the broker does not answer.
    """
    first, beyond = [await logs.at(dict.fromkeys(logs.ends, at_ms)) for at_ms in span]
    filled = [where for where in logs.ends if first[where] < beyond[where]]
    if not filled:
        return None
    oldest = await _times(logs, {where: first[where] for where in filled})
    newest = await _times(logs, {where: beyond[where] - 1 for where in filled})
    until_ms = max(newest.values())
    whole = {where: span[0] for where in logs.ends if first[where] > logs.first[where]}
    cut = {w: oldest[w] for w in filled if w in oldest and 0 < logs.first[w] == first[w]}
    began_ms = span[0] if whole else min(oldest.values())
    since_ms = {}
    for topic in {where.topic for where in logs.ends}:
        since = [ms for where, ms in (whole | cut).items() if where.topic == topic]
        lost = any(at > 0 for where, at in logs.first.items() if where.topic == topic)
        since_ms[topic] = max(since, default=until_ms if lost else began_ms)
    return Retained(since_ms, until_ms)


async def _times(logs: Logs, offsets: Offsets) -> dict[tuple[str, int], int]:
    """Return, by topic and partition, the timestamp of one record."""
    found = {}
    async for raws in logs.read(offsets, {where: at + 1 for where, at in offsets.items()}):
        for raw in raws:
            found[raw.topic, raw.partition] = raw.timestamp
    return found
