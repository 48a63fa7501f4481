"""The sockets of one channel: those wanted are open, and none closes before another takes over.

A venue that cuts connections on schedule, or a contract that comes or goes, opens a socket anew.
The old one goes on until all that are wanted have asked for everything and shown a frame of the
market since; what both bring is for the handler to recognise. So nothing is lost, and no other
contract notices.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Literal

from foreshock_kit.clock import Clock
from foreshock_kit.feed import FeedLike, OnFrame, State
from foreshock_kit.ws import hold_open

_RENEWED_AFTER_S: Final = 60.0
"""A venue that announces its closing sooner is left to `hold_open`, which waits before it tries."""

Standing = Literal["none", "down", "partial", "up"]
"""How the sockets are, all taken together; `none`: there are none."""

OnChange = Callable[[str], Awaitable[None]]
OnGap = Callable[[int, int], Awaitable[None]]


class _Socket:
    def __init__(self, feed: FeedLike, number: int, opened_s: float) -> None:
        self.feed = feed
        self.number = number
        self.opened_s = opened_s
        self.up = False
        self.heard = False
        self.whole = False
        self.dark_since_ms: int | None = None
        self.close: Callable[[], object] = lambda: None


class Sockets:
    """Holds sockets open in a task group that is not its own.

    `on_change` is told why `standing` may be another than before; `on_gap` the times (ms) between
    which one was lost and no other stood in for it. The first counts as lost since `lost_ms`.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        name: str,
        on_frame: OnFrame,
        on_change: OnChange,
        on_gap: OnGap,
        clock: Clock,
        history_s: float = 5.0,
        lost_ms: int | None = None,
    ) -> None:
        self._group = group
        self._name = name
        self._on_frame = on_frame
        self._on_change = on_change
        self._on_gap = on_gap
        self._clock = clock
        self._history_s = history_s
        self._lost_ms = lost_ms
        self._wanted: list[_Socket] = []
        self._leaving: list[_Socket] = []
        self._numbers: set[int] = set()

    @property
    def standing(self) -> Standing:
        """How they are now; one that has yet to be heard is as good as those that it replaces."""
        covered = any(each.up for each in self._leaving)
        served = [each.up or (covered and not each.heard) for each in self._wanted]
        if not served:
            return "none"
        if all(served):
            return "up"
        return "partial" if any(served) else "down"

    @property
    def count(self) -> int:
        """How many are wanted."""
        return len(self._wanted)

    async def follow(self, feeds: Sequence[FeedLike]) -> None:
        """Hold these open, and no others; what is open already stays."""
        gone = [each for each in self._wanted if each.feed not in feeds]
        kept = {each.feed: each for each in self._wanted if each.feed in feeds}
        self._wanted = [kept.get(feed) or self._open(feed) for feed in feeds]
        await self._inherit(gone)
        self._leave(gone)
        if not feeds:
            await self._on_change("nothing is followed")
        elif gone:
            await self._on_change("other contracts are followed")

    def _open(self, feed: FeedLike) -> _Socket:
        number = next(each for each in itertools.count() if each not in self._numbers)
        self._numbers.add(number)
        socket = _Socket(feed, number, self._clock.monotonic())
        socket.dark_since_ms, self._lost_ms = self._lost_ms, None
        task = self._group.create_task(
            hold_open(
                f"{self._name}-{number}",
                feed,
                self._on_frame,
                on_state=partial(self._on_state, socket),
                clock=self._clock,
                history_s=self._history_s,
            )
        )
        socket.close = task.cancel
        task.add_done_callback(lambda _: self._numbers.discard(number))
        if feed.lifetime_s is not None:
            loop = asyncio.get_running_loop()
            renewal = loop.call_later(feed.lifetime_s, self._renew, socket)
            task.add_done_callback(lambda _: renewal.cancel())
        return socket

    def _renew(self, socket: _Socket) -> None:
        if socket in self._wanted:
            fresh = self._open(socket.feed)
            fresh.dark_since_ms = socket.dark_since_ms
            self._wanted[self._wanted.index(socket)] = fresh
            self._leave([socket])

    async def _inherit(self, gone: Sequence[_Socket]) -> None:
        """Keep in mind since when those that go were lost."""
        dark_ms = min((s.dark_since_ms for s in gone if s.dark_since_ms), default=None)
        fresh = next((each for each in self._wanted if not each.heard), None)
        if dark_ms is None:
            return
        if fresh is not None:
            fresh.dark_since_ms = dark_ms
        else:
            await self._on_gap(dark_ms, self._clock.now_ms())

    def _leave(self, gone: Sequence[_Socket]) -> None:
        self._leaving += gone
        for each in [*self._leaving]:
            if not (each.up and self._wanted):
                self._close(each)
        self._close_those_replaced()

    def _close_those_replaced(self) -> None:
        if all(each.whole for each in self._wanted):
            for each in [*self._leaving]:
                self._close(each)

    def _close(self, socket: _Socket) -> None:
        self._leaving.remove(socket)
        socket.close()

    async def _on_state(self, socket: _Socket, state: State, reason: str, at_ms: int) -> None:
        if state == "whole":
            await self._is_whole(socket, at_ms)
            return
        if state == "closing":
            if self._clock.monotonic() - socket.opened_s >= _RENEWED_AFTER_S:
                self._renew(socket)
            return
        socket.up = state == "up"
        socket.heard = socket.heard or socket.up
        if not socket.up and socket.heard and socket.dark_since_ms is None:
            socket.dark_since_ms = at_ms
        await self._on_change(reason)
        if not socket.up and socket in self._leaving:
            self._close(socket)

    async def _is_whole(self, socket: _Socket, at_ms: int) -> None:
        socket.whole = True
        self._close_those_replaced()
        if socket.dark_since_ms is not None:
            await self._on_gap(socket.dark_since_ms, at_ms)
            socket.dark_since_ms = None
