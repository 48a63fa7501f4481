"""The sockets of one exchange's channel, opened anew when its contracts change."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from foreshock_kit.kafka import Publisher, Publishing
from foreshock_kit.metrics import COUNTS_ELSEWHERE, Counts
from foreshock_kit.service import Context
from foreshock_kit.settings import VenueSettings
from foreshock_kit.universe import Universe, UniverseWatch
from foreshock_kit.ws import FeedLike, hold_open
from foreshock_schemas.events import FeedHealth, FeedState, Instrument
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import FEED_HEALTH


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
) -> None:
    """Follow the feeds of every exchange configured until told to stop, then flush."""
    watch = UniverseWatch()
    prefix = f"foreshock_{context.name.replace('-', '_')}"
    async with (
        Publisher(settings, context.name, context.clock, stop=context.stop) as publisher,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(watch.run(settings, context))]
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
    """Keep a desk's sockets open as long as the task lives, anew when its contracts change.

    Whether they are up goes to `foreshock.feed-health.v1`.
    """
    state = _State(context, desk, publisher)
    contracts: tuple[Instrument, ...] = ()
    while True:
        contracts = await watch.contracts_other_than(desk.exchange, contracts)
        async with asyncio.TaskGroup() as group:
            sockets = [
                group.create_task(
                    hold_open(
                        f"{desk.exchange}-{desk.channel}-{number}",
                        feed,
                        desk.on_frame,
                        on_state=state.tell,
                    )
                )
                for number, feed in enumerate(desk.feeds(contracts))
            ]
            await watch.contracts_other_than(desk.exchange, contracts)
            for socket in sockets:
                socket.cancel()


class _State:
    """Publishes whether a channel's sockets are up."""

    def __init__(self, context: Context, desk: Desk, publisher: Publishing) -> None:
        self._context = context
        self._exchange = desk.exchange
        self._channel = desk.channel
        self._publisher = publisher

    async def tell(self, state: str, reason: str) -> None:
        now = self._context.clock.now_ms()
        verdict: FeedState = "LIVE" if state == "up" else "DOWN"
        await self._publisher.send(
            FEED_HEALTH,
            FeedHealth(
                event_id=derived_id("feed", self._exchange, self._channel, verdict, now),
                ts_event_ms=now,
                ts_recv_ms=now,
                exchange=self._exchange,
                channel=self._channel,
                state=verdict,
                reason=reason,
                since_ms=now,
            ),
        )
