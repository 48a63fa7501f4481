"""Events to Kafka: batched where they are many, acknowledged at once where each counts."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaProducer

from foreshock_kit.clock import Clock
from foreshock_kit.errors import Permanent, Transient
from foreshock_kit.kafka.connection import (
    REQUEST_TIMEOUT_MS,
    STOP_S,
    bounded,
    client_options,
    start_client,
    stop_client,
)
from foreshock_kit.kafka.lane import Delivery, Lane, Route
from foreshock_kit.kafka.metrics import PUBLISHED
from foreshock_kit.kafka.schema_ids import codec_of
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import Event
from foreshock_schemas.topics import Topic

LINGER_S: Final = 0.02
DELIVERY_S: Final = REQUEST_TIMEOUT_MS / 1000
_BATCH_BYTES: Final = 128 * 1024
_LARGEST_RECORD_BYTES: Final = 900_000


class Publisher:
    """An idempotent producer with acks from all replicas, as an async context manager.

    Crash-only: when the broker does not acknowledge within `delivery_s` its block is
    cancelled and `Transient` leaves it (in an ExceptionGroup), so that the process restarts
    and goes on from what it had committed. An unreachable broker is waited for, until `stop`
    is set: then `Stopped` is raised. A schema registry that refuses a schema is `Permanent`.

    Example:
        async with Publisher(settings, "ingest-trades", SystemClock()) as publisher:
            await publisher.publish(TRADES, trade)
            await publisher.flush()
    """

    def __init__(
        self,
        settings: KafkaSettings,
        name: str,
        clock: Clock,
        *,
        stop: asyncio.Event | None = None,
        delivery_s: float = DELIVERY_S,
        linger_s: float = LINGER_S,
    ) -> None:
        self._settings = settings
        self._linger_s = linger_s
        self._delivery_s = delivery_s
        self._stop_asked = stop
        self._name = name
        self._clock = clock
        self._routes: dict[str, Route] = {}
        self._waiting: dict[Lane, None] = {}
        self._handing_over = asyncio.Lock()
        self._unconfirmed: set[Delivery] = set()
        self._stirred = asyncio.Event()
        self._handed_over = asyncio.Event()
        self._failure: BaseException | None = None
        self._stack = AsyncExitStack()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        self._encode = (await codec_of(self._settings, stop=self._stop_asked)).encode
        self._producer = await start_client(self._settings, self._make, stop=self._stop_asked)
        self._stack.push_async_callback(stop_client, self._producer, STOP_S)
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._tasks = (group.create_task(self._linger()), group.create_task(self._watch()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self.flush()
        except Transient as failure:
            kind, error, trace = type(failure), failure, failure.__traceback__
            raise
        finally:
            for task in self._tasks:
                task.cancel()
            await self._stack.__aexit__(kind, error, trace)

    async def publish(self, topic: Topic, event: Event) -> None:
        """Append an event to its partition's batch, which leaves within `linger_s` (20 ms).

        Waits when the batches are full, so that a slow broker slows the reader down.

        Raises:
            Permanent: the record is larger than a broker takes.
            Transient: the broker takes nothing any more.
        """
        route = self._routes.get(topic.name) or await self._open(topic.name)
        lane, key, value = self._prepare(route, topic, event)
        if not lane.append(key, value, event.ts_recv_ms):
            await self._append_later(lane, key, value, event.ts_recv_ms)
        if lane not in self._waiting:
            self._waiting[lane] = None
            self._stirred.set()

    async def send(self, topic: Topic, event: Event) -> None:
        """Write an event (after those published before it) and wait for its acknowledgement.

        Raises:
            Permanent: the record is larger than a broker takes.
            Transient: no acknowledgement within `delivery_s`.
        """
        route = self._routes.get(topic.name) or await self._open(topic.name)
        lane, key, value = self._prepare(route, topic, event)
        if not lane.append(key, value, event.ts_recv_ms):
            await self._append_later(lane, key, value, event.ts_recv_ms)
        async with bounded(self._delivery_s, f"sending {len(value)} bytes to {topic.name}"):
            delivery = await self._hand_over(lane)
            if delivery is not None:
                await asyncio.wait((delivery,))
                delivery.result()

    async def flush(self) -> None:
        """Wait until all that was published is acknowledged.

        Raises:
            Transient: no acknowledgement within `delivery_s`.
        """
        async with bounded(self._delivery_s, "flushing"):
            await self._hand_over_waiting()
            await self._confirm()

    async def dead_letter(
        self, topic: Topic, value: bytes | None, key: bytes | None, headers: Mapping[str, str]
    ) -> None:
        """Keep what could not be read, byte for byte, in the topic's dead-letter topic.

        Raises:
            Transient: no acknowledgement within `delivery_s`.
        """
        async with bounded(self._delivery_s, f"sending to {topic.dead_letters}"):
            await self._producer.send_and_wait(
                topic.dead_letters,
                value or b"",
                key=key,
                timestamp_ms=self._clock.now_ms(),
                headers=[
                    (name, text.encode())
                    for name, text in {**headers, "service": self._name}.items()
                ],
            )

    def _make(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **client_options(self._settings),
            client_id=self._name,
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
        )

    def _prepare(self, route: Route, topic: Topic, event: Event) -> tuple[Lane, bytes, bytes]:
        if self._failure is not None:
            raise Transient(f"Kafka refused an earlier record: {self._failure!r}")
        lane, key = route.lane(topic.key_of(event))
        value = self._encode(event)
        if len(value) > _LARGEST_RECORD_BYTES:
            raise Permanent(f"{topic.name}: {event.event_id} has {len(value)} bytes")
        return lane, key, value

    async def _append_later(self, lane: Lane, key: bytes, value: bytes, timestamp_ms: int) -> None:
        """Append to the next batch: this one is full."""
        async with bounded(self._delivery_s, f"publishing to {lane.topic}"):
            await self._hand_over(lane)
            while not lane.append(key, value, timestamp_ms):
                await self._hand_over(lane)

    async def _open(self, topic: str) -> Route:
        async with bounded(self._delivery_s, f"looking up {topic}"):
            partitions = await self._producer.partitions_for(topic)
        route = Route(
            tuple(
                Lane(self._producer, topic, partition, self._note)
                for partition in sorted(partitions)
            )
        )
        return self._routes.setdefault(topic, route)

    def _note(self, topic: str, delivery: Delivery, records: int) -> None:
        def settled(done: Delivery) -> None:
            self._unconfirmed.discard(done)
            if done.cancelled():
                return
            error = done.exception()
            if error is None:
                PUBLISHED.labels(topic).inc(records)
            elif self._failure is None:
                self._failure = error

        self._unconfirmed.add(delivery)
        delivery.add_done_callback(settled)
        self._handed_over.set()

    async def _hand_over_waiting(self) -> None:
        async with self._handing_over:
            for lane in tuple(self._waiting):
                self._waiting.pop(lane, None)
                await self._hand_over(lane)

    async def _hand_over(self, lane: Lane) -> Delivery | None:
        """Hand over; what is left half way by a cancellation waits for the next flush."""
        try:
            return await lane.hand_over()
        except BaseException:
            self._waiting[lane] = None
            raise

    async def _confirm(self) -> None:
        if self._unconfirmed:
            await asyncio.wait(tuple(self._unconfirmed))
        if self._failure is not None:
            raise Transient(f"Kafka refused a record: {self._failure!r}") from self._failure

    async def _linger(self) -> None:
        while True:
            await self._stirred.wait()
            await asyncio.sleep(self._linger_s)
            self._stirred.clear()
            async with bounded(self._delivery_s, "handing over batches"):
                await self._hand_over_waiting()

    async def _watch(self) -> None:
        while True:
            await self._handed_over.wait()
            self._handed_over.clear()
            async with bounded(self._delivery_s, "waiting for acknowledgements"):
                await self._confirm()
