"""The arguments of `consume`, which its parts hand to one another."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.records import Decode, Record
from foreshock_kit.kafka.snapshots import Stateful
from foreshock_schemas.topics import Topic

Handler = Callable[[Sequence[Record]], Awaitable[None]]
Hook = Callable[[set[tuple[str, int]]], Awaitable[None]]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What `consume` was asked to do."""

    group: str
    topics: Sequence[Topic]
    on_records: Handler
    publisher: Publisher
    decode: Decode
    rebuild_ms: Mapping[str, int | None]
    first: frozenset[str]
    state: Stateful | None
    on_assigned: Hook | None
    on_revoked: Hook | None
