"""What Kafka holds of a time that was asked for."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_kit.kafka.spans import Logs, Offsets

DAY_MS: Final = 86_400_000
_LEAST_MS: Final = 60_000


class Held(msgspec.Struct, frozen=True):
    """Since when each topic has all that was written to it, and the newest record's time; ms."""

    since_ms: Mapping[str, int]
    until_ms: int

    def days(self, topic: str) -> float:
        """Return how many days a topic holds, a minute at least."""
        return max(self.until_ms - self.since_ms[topic], _LEAST_MS) / DAY_MS


async def held(logs: Logs, span: tuple[int, int]) -> Held | None:
    """Return what the logs hold of a time, from its first ms to before its second; None: nothing.

    A topic whose oldest record within it is also its oldest of all holds what was written since
    that record, if it has lost older ones; if it never had any, since the oldest of all topics.

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
    from_ms, until_ms = span[0], max(max(times) for times in newest.values())
    whole = {where.topic for where in logs.ends if first[where] > logs.first[where]}
    began_ms = from_ms if whole else min(min(times) for times in oldest.values())
    since_ms = {where.topic: from_ms if where.topic in whole else began_ms for where in logs.ends}
    for topic in {where.topic for where, at in logs.first.items() if at > 0} - whole:
        since_ms[topic] = min(oldest.get(topic, [until_ms]))
    return Held(since_ms, until_ms)


async def _times(logs: Logs, offsets: Offsets) -> dict[str, list[int]]:
    """Return, by topic, the timestamps of one record of each partition."""
    found: dict[str, list[int]] = {}
    async for raws in logs.read(offsets, {where: at + 1 for where, at in offsets.items()}):
        for raw in raws:
            found.setdefault(raw.topic, []).append(raw.timestamp)
    return found
