"""The sockets of one exchange's channel, as its contracts ask for them."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NoReturn, Protocol, get_args

from prometheus_client import Enum

from foreshock_kit.kafka import Publisher, Publishing
from foreshock_kit.kafka.publisher import LINGER_S
from foreshock_kit.metrics import COUNTS_ELSEWHERE, Counts
from foreshock_kit.service import Context
from foreshock_kit.settings import VenueSettings
from foreshock_kit.universe import Universe, UniverseWatch
from foreshock_kit.ws import FeedLike, hold_open
from foreshock_schemas.events import FeedHealth, FeedState, Instrument
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import FEED_HEALTH

STATE: Final = Enum(
    "foreshock_feed_state",
    "How a channel is, all its sockets taken together.",
    ["exchange", "channel"],
    states=get_args(FeedState),
)
_REPEAT_S: Final = 60.0


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

    def feeds(self, contracts: Sequence[Instrument]) -> Sequence[FeedLike]:
        """Return the sockets that carry these contracts."""
        ...

    async def on_frame(self, frame: bytes) -> bool:
        """Take a frame; return whether it was one of the market's."""
        ...

    def counts(self) -> Counts:
        """Return what was counted of the frames."""
        ...


async def run_desks(
    settings: VenueSettings,
    context: Context,
    desk_of: Callable[[str, Universe, Publishing], Desk],
    *,
    linger_s: float = LINGER_S,
) -> None:
    """Follow the feeds of every exchange configured until told to stop, then flush.

    `linger_s` is how long records wait for company: less is sooner, more is cheaper.
    """
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
            COUNTS_ELSEWHERE.add(prefix, desk.counts, exchange=name)
            tasks.append(group.create_task(follow_feeds(context, watch, desk, publisher)))
        await context.stop.wait()
        for task in tasks:
            task.cancel()


async def follow_feeds(
    context: Context, watch: UniverseWatch, desk: Desk, publisher: Publishing
) -> None:
    """Keep a desk's sockets open as long as the task lives.

    When its contracts change, those that carry others than before are opened anew. Whether they
    live goes to `foreshock.feed-health.v1`: at every change, each minute, and at a clean stop.
    """
    verdict = _Verdict(context, desk, publisher)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(verdict.repeat())
            sockets = _Sockets(group, desk, verdict)
            contracts: tuple[Instrument, ...] = ()
            while True:
                contracts = await watch.contracts_other_than(desk.exchange, contracts)
                await sockets.follow(desk.feeds(contracts))
    finally:
        if context.stop.is_set():
            await verdict.stopped()


class _Sockets:
    """The sockets that are open or closing, each with a number of its own."""

    def __init__(self, group: asyncio.TaskGroup, desk: Desk, verdict: "_Verdict") -> None:
        self._group, self._desk, self._verdict = group, desk, verdict
        self._open: dict[FeedLike, asyncio.Task[NoReturn]] = {}
        self._numbers: set[int] = set()

    async def follow(self, wanted: Sequence[FeedLike]) -> None:
        gone = [each for each in self._open if each not in wanted]
        for feed in gone:
            self._open.pop(feed).cancel()
        await self._verdict.forget(gone)
        if not wanted:
            await self._verdict.tell("nothing is followed")
        for feed in wanted:
            if feed not in self._open:
                self._open[feed] = self._hold(feed)

    def _hold(self, feed: FeedLike) -> asyncio.Task[NoReturn]:
        number = next(each for each in itertools.count() if each not in self._numbers)
        name = f"{self._desk.exchange}-{self._desk.channel}-{number}"
        self._numbers.add(number)
        self._verdict.expect(feed)
        task = self._group.create_task(
            hold_open(name, feed, self._desk.on_frame, on_state=partial(self._verdict.hear, feed))
        )
        task.add_done_callback(lambda _: self._numbers.discard(number))
        return task


class _Verdict:
    """Publishes how a channel is, all its sockets taken together: at changes and each minute."""

    def __init__(self, context: Context, desk: Desk, publisher: Publishing) -> None:
        self._clock = context.clock
        self._exchange = desk.exchange
        self._channel = desk.channel
        self._publisher = publisher
        self._up: dict[FeedLike, bool] = {}
        self._told: FeedState | None = None
        self._reason = ""
        self._since_ms = 0
        self._shown = STATE.labels(desk.exchange, desk.channel)
        self._shown.state("UNKNOWN")

    def expect(self, feed: FeedLike) -> None:
        self._up[feed] = False

    async def hear(self, feed: FeedLike, state: str, reason: str) -> None:
        self._up[feed] = state == "up"
        await self.tell(reason)

    async def forget(self, feeds: Sequence[FeedLike]) -> None:
        for feed in feeds:
            self._up.pop(feed, None)
        if self._up:
            await self.tell("other contracts are followed")

    async def tell(self, reason: str) -> None:
        up = list(self._up.values())
        state: FeedState = "PARTIAL" if any(up) else "DOWN"
        if up and all(up):
            state = "LIVE"
        await self._change(state, reason)

    async def stopped(self) -> None:
        if self._told is not None:
            await self._change("DOWN", "ingestion was stopped")

    async def repeat(self) -> NoReturn:
        """Say it again each minute, so that silence is no sign of health."""
        while True:
            await asyncio.sleep(_REPEAT_S)
            if self._told is not None:
                await self._publish(self._told)

    async def _change(self, state: FeedState, reason: str) -> None:
        if state == self._told:
            return
        self._told, self._reason, self._since_ms = state, reason, self._clock.now_ms()
        self._shown.state(state)
        await self._publish(state)

    async def _publish(self, state: FeedState) -> None:
        now = self._clock.now_ms()
        await self._publisher.send(
            FEED_HEALTH,
            FeedHealth(
                event_id=derived_id("feed", self._exchange, self._channel, state, now),
                ts_event_ms=now,
                ts_recv_ms=now,
                exchange=self._exchange,
                channel=self._channel,
                state=state,
                reason=self._reason,
                since_ms=self._since_ms,
            ),
        )
