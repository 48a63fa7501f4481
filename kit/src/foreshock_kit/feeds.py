"""One channel of an exchange, as its contracts ask for it, and whether it can be believed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, Protocol

from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.feed import FeedLike, Heard
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.kafka import Publisher, Publishing, Record, follow
from foreshock_kit.kafka.publisher import LINGER_S
from foreshock_kit.metrics import COUNTS_ELSEWHERE, Counts
from foreshock_kit.service import Context
from foreshock_kit.settings import VenueSettings
from foreshock_kit.sockets import Sockets, Standing
from foreshock_kit.universe import Universe, UniverseWatch
from foreshock_schemas.events import FeedHealth, FeedState, Instrument
from foreshock_schemas.topics import FEED_HEALTH

log = logs.get_logger(__name__)

_JUDGE_EVERY_S: Final = 5.0
_LOOKS_BACK_MS: Final = 3_600_000
_SAID_BY_SOCKETS: Final[Mapping[Standing, FeedState]] = {
    "none": "DOWN",
    "down": "DOWN",
    "partial": "PARTIAL",
    "up": "LIVE",
}


class Desk(Protocol):
    """Where a service takes in the frames of one channel of one exchange."""

    @property
    def exchange(self) -> str:
        """The exchange's name."""
        ...

    @property
    def channel(self) -> str:
        """The channel's name."""
        ...

    def learn(self, contracts: Sequence[Instrument]) -> None:
        """Take note of all contracts of the exchange, followed or not."""
        ...

    def feeds(self, contracts: Sequence[Instrument]) -> Sequence[FeedLike]:
        """Return the sockets that carry these contracts; none if the channel is not public."""
        ...

    async def on_frame(self, frame: bytes, since_ms: int) -> Heard:
        """Take a frame, of which what happened before `since_ms` is history; say what it was."""
        ...

    async def accompany(self, teller: FeedHealthTeller) -> None:
        """Do, as long as the channel is followed, what is to be done beside taking frames."""
        ...

    def judge(self, state: FeedState, reason: str, now_ms: int) -> tuple[FeedState, str]:
        """Return the channel's state and why, given what its sockets alone would say of it."""
        ...

    def counts(self) -> Counts:
        """Return what was counted of the frames."""
        ...


async def run_desks(
    settings: VenueSettings,
    context: Context,
    desk_of: Callable[[str, Universe, Publishing], Desk | None],
    *,
    linger_s: float = LINGER_S,
) -> None:
    """Follow the feeds of every exchange configured until told to stop, then flush.

    `desk_of` returns no desk for an exchange whose channel is not public.
    `linger_s` is how long records wait for company: less is sooner, more is cheaper.
    """
    told = await _told_last(settings, context)
    watch = UniverseWatch()
    prefix = f"foreshock_{context.name.replace('-', '_')}"
    async with (
        Publisher(
            settings, context.name, context.clock, stop=context.stop, linger_s=linger_s
        ) as publisher,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(watch.run(settings, context, publisher))]
        for name in settings.exchanges:
            desk = desk_of(name, watch.universe, publisher)
            if desk is None:
                log.info("channel_not_public", exchange=name)
                continue
            COUNTS_ELSEWHERE.add(prefix, desk.counts, exchange=name)
            lost_ms = told.get((name, desk.channel))
            following = follow_feeds(
                context, watch, desk, publisher, settings.history_s, lost_ms=lost_ms
            )
            tasks.append(group.create_task(following))
        await context.stop.wait()
        for task in tasks:
            task.cancel()


async def _told_last(settings: VenueSettings, context: Context) -> dict[tuple[str, str], int]:
    """Return when each channel of each exchange was last told of, within the last hour; ms."""
    told: dict[tuple[str, str], int] = {}
    read = asyncio.Event()

    def on_record(record: Record) -> None:
        if isinstance(record.event, FeedHealth):
            told[record.event.exchange, record.event.channel] = record.event.ts_recv_ms

    async with asyncio.TaskGroup() as group:
        since_ms: dict[str, int | None] = {FEED_HEALTH.name: _LOOKS_BACK_MS}
        reading = group.create_task(
            follow(settings, context, [FEED_HEALTH], on_record, since_ms=since_ms, caught_up=read)
        )
        reading.add_done_callback(lambda _: read.set())
        await read.wait()
        reading.cancel()
    return told


async def follow_feeds(
    context: Context,
    watch: UniverseWatch,
    desk: Desk,
    publisher: Publishing,
    history_s: float = 5.0,
    *,
    lost_ms: int | None = None,
) -> None:
    """Keep a desk's sockets open as long as the task lives, as its contracts ask for them.

    Whether the channel can be believed goes to `foreshock.feed-health.v1`: at every change, each
    minute, and at a clean stop; so do the times in which a socket was lost, the first since
    `lost_ms`, when an earlier run was heard of last.
    """
    teller = FeedHealthTeller(context.clock, desk.exchange, desk.channel, publisher)
    try:
        async with asyncio.TaskGroup() as group:
            verdict = _Verdict(
                group, desk, teller, watch.universe, context.clock, history_s, lost_ms
            )
            group.create_task(teller.repeat())
            group.create_task(verdict.keep_judging())
            group.create_task(desk.accompany(teller))
            contracts: tuple[Instrument, ...] = ()
            while True:
                contracts = await watch.contracts_other_than(desk.exchange, contracts)
                verdict.learn()
                await verdict.sockets.follow(desk.feeds(contracts))
    finally:
        if context.stop.is_set():
            await teller.stopped()


class _Verdict:
    """Tells what the sockets say and what the desk makes of it."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        desk: Desk,
        teller: FeedHealthTeller,
        universe: Universe,
        clock: Clock,
        history_s: float,
        lost_ms: int | None,
    ) -> None:
        self.sockets = Sockets(
            group,
            f"{desk.exchange}-{desk.channel}",
            desk.on_frame,
            self._on_change,
            self._on_gap,
            clock,
            history_s,
            lost_ms,
        )
        self._desk = desk
        self._teller = teller
        self._universe = universe
        self._clock = clock
        self._reason = ""
        self._revision = -1

    def learn(self) -> None:
        if self._revision != self._universe.revision:
            self._revision = self._universe.revision
            self._desk.learn(self._universe.known(self._desk.exchange))

    async def keep_judging(self) -> NoReturn:
        while True:
            await asyncio.sleep(_JUDGE_EVERY_S)
            self.learn()
            if self._reason:
                await self._judge()

    async def _on_change(self, reason: str) -> None:
        self._reason = reason
        await self._judge()

    async def _judge(self) -> None:
        said = _SAID_BY_SOCKETS[self.sockets.standing]
        await self._teller.say(*self._desk.judge(said, self._reason, self._clock.now_ms()))

    async def _on_gap(self, start_ms: int, end_ms: int) -> None:
        lost_s, count = (end_ms - start_ms) / 1000, self.sockets.count
        which = "" if count == 1 else f" on one of {count} sockets"
        await self._teller.gap(f"no connection for {lost_s:.1f} s{which}", start_ms, end_ms)
