"""Reading dead letters: what could not be read, where it lay, and why."""

from collections.abc import Callable
from typing import Any

import msgspec

from foreshock_kit.errors import Stopped
from foreshock_kit.kafka.connection import stop_client
from foreshock_kit.kafka.merging import merged
from foreshock_kit.kafka.reader import poll, start_reader
from foreshock_kit.kafka.view import take_positions
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that `service` could not read, and put aside at `at_ms`.

    `topic`, `partition` and `offset` are where it lay; what a letter of somebody else's does not
    say is "".
    """

    at_ms: int
    service: str
    error: str
    topic: str
    partition: str
    offset: str
    key: bytes
    value: bytes


async def follow_dead_letters(
    settings: KafkaSettings,
    context: Context,
    topic: Topic,
    on_letter: Callable[[DeadLetter], None],
    *,
    since_ms: int | None,
) -> None:
    """Give what could not be read of a topic to `on_letter` until `context.stop` is set.

    Args:
        settings: Where the broker is.
        context: The service's.
        topic: The topic itself.
        on_letter: Must be quick: nothing else runs meanwhile.
        since_ms: How far back to start (ms; None: from the beginning; 0: now).

    Raises:
        Transient: the broker does not answer when asked for offsets.
    """
    letters = msgspec.structs.replace(topic, name=topic.dead_letters)
    try:
        consumer = await start_reader(
            settings, [letters], stop=context.stop, client_id=f"{context.name}-letters"
        )
    except Stopped:
        return
    try:
        await take_positions(consumer, settings, {letters.name: since_ms}, context.clock.now_ms())
        while not context.stop.is_set():
            for raw in merged(await poll(consumer)):
                on_letter(_read(raw))
    finally:
        await stop_client(consumer)


def _read(raw: Any) -> DeadLetter:
    said = {name: (value or b"").decode(errors="replace") for name, value in raw.headers}
    return DeadLetter(
        at_ms=raw.timestamp,
        service=said.get("service", ""),
        error=said.get("error", ""),
        topic=said.get("topic", ""),
        partition=said.get("partition", ""),
        offset=said.get("offset", ""),
        key=raw.key or b"",
        value=raw.value or b"",
    )
