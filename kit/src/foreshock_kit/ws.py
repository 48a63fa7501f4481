"""One websocket held open for ever, however often it falls.

Only market frames prove that a feed lives: pongs and acknowledgements do not, and a socket that
has shown no market frame for the feed's `silence_s` is closed and opened anew. The backoff starts
over only after a connection has lasted: websockets' own forgets it at each successful connect,
so that a venue which accepts and hangs up is hammered.

What a venue sends of the time before the connection is history: handlers are told when to begin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NoReturn, Protocol

import websockets
from prometheus_client import Counter, Gauge
from websockets.asyncio.client import ClientConnection, connect

from foreshock_kit import logs
from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.errors import leaves

log = logs.get_logger(__name__)

CONNECTED: Final = Gauge("foreshock_ws_connected", "Whether a feed's socket is open.", ["feed"])
RECONNECTS: Final = Counter("foreshock_ws_reconnects_total", "Times a socket was lost.", ["feed"])
LAST_FRAME: Final = Gauge(
    "foreshock_ws_last_frame_timestamp_seconds", "When the last market frame came.", ["feed"]
)

_LOOK_EVERY_S: Final = 1.0
_REFUSALS: Final = {403, 418, 429, 451}
_LARGEST_FRAME: Final = 16 * 1024 * 1024
_CLOSE_S: Final = 1.0
_Refusal = websockets.InvalidStatus
_LOST: Final = (OSError, TimeoutError, websockets.WebSocketException)


class Answer(Protocol):
    """What the venue wants to hear at once, as an answer to its frame."""

    @property
    def words(self) -> str:
        """The message."""
        ...


Heard = Literal["market", "refusal", "closing", "other"] | Answer
"""What a frame was: the market's; a refused subscription; the venue about to close; neither; or
a question with its answer."""

State = Literal["up", "whole", "closing", "down"]

OnFrame = Callable[[bytes, int], Awaitable[Heard]]
OnState = Callable[[State, str, int], Awaitable[None]]


class FeedLike(Protocol):
    """What is needed to hold a feed open; an exchange's `Feed` happens to have it."""

    @property
    def url(self) -> str:
        """Where to connect."""
        ...

    @property
    def hello(self) -> tuple[str, ...]:
        """What to say first."""
        ...

    @property
    def retry(self) -> tuple[str, ...]:
        """What to say, once, after the venue has refused something; it may be empty."""
        ...

    @property
    def pace_s(self) -> float:
        """How long to wait between two messages."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the opening request carries beside the usual."""
        ...

    @property
    def silence_s(self) -> float:
        """After so long without a market frame the socket counts as dead."""
        ...

    @property
    def ping(self) -> str | None:
        """What to say to keep the connection, where the venue wants words."""
        ...

    @property
    def ping_every_s(self) -> float:
        """How often to say it."""
        ...

    @property
    def lifetime_s(self) -> float | None:
        """After so long a fresh connection should take over, before the venue cuts this one."""
        ...


class Reconnecting(Backoff, frozen=True, kw_only=True):
    """Waits between connections: doubling until one has lasted, longer for who refuses us."""

    refused_s: float = 60.0
    healthy_after_s: float = 60.0


class GivenUp(Exception):
    """We closed the connection: it was silent for too long."""


async def hold_open(
    name: str,
    feed: FeedLike,
    on_frame: OnFrame,
    *,
    on_state: OnState | None = None,
    backoff: Reconnecting = Reconnecting(),  # noqa: B008
    clock: Clock | None = None,
    history_s: float = 5.0,
) -> NoReturn:
    """Keep a feed's socket open until cancelled.

    `on_frame` is awaited for each frame before the next is read, so that whoever is slow slows the
    venue down. It is told the time (ms) before which what happened is history, `history_s`
    before the connection, and returns what the frame was; an answer is sent. `on_state` is told
    "up" at a connection's first frame of the market, "whole" at the first after all has been said:
    before, some of it may not come yet; "closing" when the venue says that it will close, and
    "down" at a connection's end, with a reason and the time (ms) of the last frame of the market.
    A venue that refuses (403, 418, 429, 451) is left alone for a minute. Once cancelled, the feed
    is no longer in the metrics.
    """
    clock = clock or SystemClock()
    failures = 0
    try:
        while True:
            session = _Session(name, feed, on_frame, on_state, clock, history_s)
            reason, refused = await session.run()
            _heed_cancellation()
            RECONNECTS.labels(name).inc()
            log.warning("feed_down", feed=name, reason=reason)
            if on_state is not None:
                await on_state("down", reason, session.last_market_ms)
            failures = 1 if session.lasted_s >= backoff.healthy_after_s else failures + 1
            await asyncio.sleep(backoff.refused_s if refused else backoff.delay(failures))
    finally:
        for gauge in (CONNECTED, LAST_FRAME):
            gauge.remove(name)


class _Session:
    """One connection, from its opening to its loss."""

    def __init__(
        self,
        name: str,
        feed: FeedLike,
        on_frame: OnFrame,
        on_state: OnState | None,
        clock: Clock,
        history_s: float,
    ) -> None:
        self._name = name
        self._feed = feed
        self._on_frame = on_frame
        self._on_state = on_state
        self._clock = clock
        self._history_ms = round(history_s * 1000)
        self._opened = self._last_market = clock.monotonic()
        self._up = self._whole = False
        self._unsaid = 0
        self.lasted_s = 0.0

    @property
    def last_market_ms(self) -> int:
        """When the last frame of the market came, or the connection was tried."""
        silent_s = self._clock.monotonic() - self._last_market
        return self._clock.now_ms() - round(silent_s * 1000)

    async def run(self) -> tuple[str, bool]:
        """Return why the connection ended, and whether the venue refused it."""
        connected = CONNECTED.labels(self._name)
        refused = False
        reason = ""
        try:
            async with connect(
                self._feed.url,
                additional_headers=self._feed.headers,
                compression=None,
                max_size=_LARGEST_FRAME,
                max_queue=64,
                close_timeout=_CLOSE_S,
            ) as socket:
                self._opened = self._last_market = self._clock.monotonic()
                connected.set(1)
                log.info("feed_connected", feed=self._name)
                await self._talk(socket)
        except* _Refusal as group:
            answer = leaves(group)[0]
            status = answer.response.status_code if isinstance(answer, _Refusal) else 0
            reason, refused = f"the venue answered {status}", status in _REFUSALS
        except* (*_LOST, GivenUp) as group:
            reason = reason or _in_words(leaves(group)[0])
        finally:
            connected.set(0)
            self.lasted_s = self._clock.monotonic() - self._opened
        return reason, refused

    async def _talk(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_alive(socket))
            self._begin_to_say(self._feed.hello, socket, group)
            await self._read(socket, group)

    def _begin_to_say(
        self, words: tuple[str, ...], socket: ClientConnection, group: asyncio.TaskGroup
    ) -> None:
        self._unsaid += len(words)
        group.create_task(self._say(words, socket))

    async def _say(self, words: tuple[str, ...], socket: ClientConnection) -> None:
        for word in words:
            await socket.send(word)
            await asyncio.sleep(self._feed.pace_s)
            self._unsaid -= 1

    async def _read(self, socket: ClientConnection, group: asyncio.TaskGroup) -> None:
        on_frame, now = self._on_frame, self._clock.monotonic
        since_ms = self._clock.now_ms() - self._history_ms
        retry = self._feed.retry
        while True:
            heard = await on_frame(await socket.recv(decode=False), since_ms)
            if heard == "market":
                self._last_market = now()
                if not self._whole:
                    await self._rise()
            elif heard == "refusal" and retry:
                self._begin_to_say(retry, socket, group)
                retry = ()
            elif heard == "closing":
                await self._tell("closing", "the venue will close the connection")
            elif not isinstance(heard, str):
                await socket.send(heard.words)

    async def _rise(self) -> None:
        if not self._up:
            self._up = True
            await self._tell("up", "market frames arrive")
        if not self._unsaid:
            self._whole = True
            await self._tell("whole", "all has been asked for")

    async def _tell(self, state: State, reason: str) -> None:
        if self._on_state is not None:
            await self._on_state(state, reason, self._clock.now_ms())

    async def _keep_alive(self, socket: ClientConnection) -> None:
        feed = self._feed
        pinged = self._opened
        look_every_s = min(_LOOK_EVERY_S, feed.silence_s / 4)
        while True:
            await asyncio.sleep(look_every_s)
            now = self._clock.monotonic()
            if self._last_market > self._opened:  # else what the last connection showed stands
                LAST_FRAME.labels(self._name).set(self.last_market_ms / 1000)
            if now - self._last_market > feed.silence_s:
                raise GivenUp(f"no market frame for {feed.silence_s:g} s")
            if feed.ping is not None and now - pinged >= feed.ping_every_s:
                await socket.send(feed.ping)
                pinged = now


def _heed_cancellation() -> None:
    # Before 3.13, a TaskGroup that fails while it is cancelled forgets the cancellation
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _in_words(error: BaseException) -> str:
    return str(error) or type(error).__name__
