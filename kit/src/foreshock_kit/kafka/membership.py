"""One member of a consumer group: what it owns, where it is, what it may commit."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from foreshock_kit.errors import Transient
from foreshock_kit.kafka.commits import Commits
from foreshock_kit.kafka.connection import bounded
from foreshock_kit.kafka.inbox import Inbox, note_expired
from foreshock_kit.kafka.job import Job
from foreshock_kit.kafka.positions import Start, Wanted, commits_of, starts
from foreshock_kit.kafka.reader import POLL_S, Batches, behind, check, forget_lag, poll, report_lag
from foreshock_kit.kafka.recovery import load, needed
from foreshock_kit.kafka.snapshots import Saved, Snapshots, log_of
from foreshock_kit.logs import get_logger
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings

PART: Final = "kafka"
_CHECK_EVERY_S: Final = 5.0
_CHECK_S: Final = 2.0

_log = get_logger(__name__)


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs a job for the partitions that the group gives us.

    The client moves partitions in a task of its own. Therefore `_turn`: a revocation waits for
    the batch in work, commits it, and from then on nothing is handed over until the main loop
    has looked up and sought every position anew. What was read in between is dropped: it lies
    behind those positions.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, settings: KafkaSettings, context: Context, job: Job
    ) -> None:
        self._consumer = consumer
        self._settings = settings
        self._context = context
        self._job = job
        self._commits = Commits(consumer, job.publisher, context.clock)
        self._inbox = Inbox(job.topics, job.publisher, job.decode)
        self._snapshots = Snapshots(job.state, context.name, job.publisher)
        self._turn = asyncio.Lock()
        self._state: Literal["unassigned", "assigned", "running"] = "unassigned"
        self._assigned = asyncio.Event()
        self._failure: Exception | None = None
        self._starts: dict[TopicPartition, Start] = {}
        self._held: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        self._rebuilt = False
        self._check_s = 0.0

    async def run(self) -> None:
        """Read until `context.stop`, then keep the state and commit what is done."""
        self._consumer.subscribe([topic.name for topic in self._job.topics], listener=self)
        while not self._context.stop.is_set():
            asked_s = self._context.clock.monotonic()
            batches = await self._poll()
            waited_s = self._context.clock.monotonic() - asked_s
            async with self._turn:
                await self._step(batches, waited_s)
        async with self._turn:
            if self._state == "running":
                await self._keep({where.partition for where in self._starts})

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish the batch in work, keep the state and commit; called by the client."""
        async with self._turn:
            ran = self._state == "running"
            self._state = "unassigned"
            self._assigned.clear()
            if not revoked:
                return
            self._context.ready(PART, ok=False, why="rebalancing")
            forget_lag(revoked)
            try:
                if ran:
                    await self._keep({where.partition for where in revoked})
                self._snapshots.forget({where.partition for where in revoked})
                if self._job.on_revoked is not None:
                    await self._job.on_revoked(_pairs(revoked))
            except Exception as error:  # noqa: BLE001  the client would swallow it
                self._failure = error

    async def on_partitions_assigned(self, _: Collection[TopicPartition]) -> None:
        """Note that positions are to be looked up; called by the client."""
        self._state = "assigned"
        self._assigned.set()

    async def _poll(self) -> Batches:
        if self._state == "running":
            return await poll(self._consumer)
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._assigned.wait()
        check(self._consumer)
        return {}

    async def _step(self, batches: Batches, waited_s: float) -> None:
        if self._failure is not None:
            raise self._failure
        if self._state == "assigned":
            await self._take_positions()
            self._state = "running"
        elif self._state == "running":
            self._inbox.put(batches, waited_s)
            await self._hand_over()
            await self._look_around(bool(batches))

    async def _take_positions(self) -> None:
        assigned = self._consumer.assignment()
        committed = await commits_of(self._settings, self._job.group, assigned, self._context.clock)
        saved: Saved = {}
        if self._job.state is not None:
            saved = await load(self._settings, self._context, committed, self._job.decode)
        ends = await self._ends(assigned)
        taken = self._snapshots.restart({where.partition for where in assigned}, saved, ends)
        spans = {w: span for w, span in needed(taken).items() if w.topic not in self._job.first}
        wanted = Wanted(self._job.rebuild_ms, spans)
        self._starts = await starts(self._consumer, assigned, committed, wanted)
        self._inbox.restart(self._starts)
        for where, start in self._starts.items():
            self._consumer.seek(where, start.offset)
            if start.expired:
                note_expired(where, start.expired, going_on_at=start.offset)
        self._rebuilt = False
        first = {where for where in assigned if where.topic in self._job.first}
        self._held = set(assigned) - first if first else set()
        self._paused = set()
        self._pause()
        self._context.ready(PART, ok=False, why="rebuilding")
        if self._job.on_assigned is not None:
            await self._job.on_assigned(_pairs(assigned))
        await self._progress()

    async def _ends(self, assigned: Collection[TopicPartition]) -> dict[str, int]:
        if not assigned:
            return {}
        async with bounded(_CHECK_S, "asking where logs end"):
            ends = await self._consumer.end_offsets(list(assigned))
        return {log_of(where): end for where, end in ends.items()}

    async def _hand_over(self) -> None:
        ends = {where: start.end for where, start in self._starts.items()}
        unread = await behind(self._consumer, self._inbox.fetched, ends)
        for raws in self._inbox.ready(unread - self._held):
            records = await self._inbox.read(raws)
            if records:
                await self._job.on_records(records)
            for where, last in self._inbox.done(raws).items():
                self._commits.done(where, last.offset + 1, last.timestamp)
                self._snapshots.passed(where.partition, last.timestamp)
            if self._rebuilt and (due := self._snapshots.due()):
                await self._keep(due)
            await self._commits.write_if_due()
            if self._context.stop.is_set():
                return
        await self._commits.write_if_due()
        if not self._rebuilt:
            await self._progress()
        self._pause()

    async def _keep(self, partitions: Collection[int]) -> None:
        """Write partitions' state, if it is whole again, and commit what it stands for."""
        if self._rebuilt:
            await self._snapshots.write(partitions, self._inbox.handed)
        await self._commits.write()

    def _pause(self) -> None:
        """Have nothing fetched of what has to wait, or of which enough is held."""
        wanted = self._held | self._inbox.full()
        self._consumer.pause(*wanted - self._paused)
        self._consumer.resume(*self._paused - wanted)
        self._paused = wanted

    async def _progress(self) -> None:
        """Let the others go when the first are read, and say when the state is rebuilt."""
        positions = await self._positions()
        if self._held and all(
            positions[where] >= start.end
            for where, start in self._starts.items()
            if where.topic in self._job.first
        ):
            self._held = set()
        self._rebuilt = not self._held and all(
            positions[where] >= start.settled for where, start in self._starts.items()
        )
        if self._rebuilt:
            self._context.ready(PART)

    async def _positions(self) -> dict[TopicPartition, int]:
        """Return up to where everything was handed over, compacted records included."""
        async with bounded(_CHECK_S, "asking for positions"):
            return {
                where: handed if self._inbox.holds(where) else await self._consumer.position(where)
                for where, handed in self._inbox.handed.items()
            }

    async def _look_around(self, read_something: bool) -> None:
        now_s = self._context.clock.monotonic()
        if now_s < self._check_s:
            return
        self._check_s = now_s + _CHECK_EVERY_S
        report_lag(self._consumer, self._inbox.handed.items())
        if self._rebuilt and read_something:
            self._context.ready(PART)
        elif self._rebuilt:
            await self._ask_broker()

    async def _ask_broker(self) -> None:
        """Keep readiness true to whether the broker answers; the client itself says nothing."""
        somewhere = next(iter(self._starts), None)
        if somewhere is None:
            return
        try:
            async with bounded(_CHECK_S, "asking the broker"):
                await self._consumer.end_offsets([somewhere])
        except Transient as error:
            _log.warning("kafka_silent", why=str(error))
            self._context.ready(PART, ok=False, why=str(error))
        else:
            self._context.ready(PART)


def _pairs(partitions: Collection[TopicPartition]) -> set[tuple[str, int]]:
    return {(where.topic, where.partition) for where in partitions}
