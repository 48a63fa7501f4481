"""A recording served as a venue would: over a websocket, to whoever connects first."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from websockets.asyncio.server import Server, ServerConnection, serve

from foreshock_cli.recording import Frame
from foreshock_kit.clock import SystemClock

_SUBSCRIBED_S: Final = 1.0


class Player:
    """Serves the frames once, at `speed` times the recorded pace; `None`: as fast as taken."""

    def __init__(self, recorded: Sequence[Frame], speed: float | None) -> None:
        self.started = 0.0
        self._recorded = recorded
        self._speed = speed
        self._clock = SystemClock()
        self._server: Server | None = None
        self._served = False

    @property
    def url(self) -> str:
        """Where to connect."""
        if self._server is None:
            raise RuntimeError("the player has not been started")
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await serve(self._play, "127.0.0.1", 0, compression=None, max_size=None)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _play(self, socket: ServerConnection) -> None:
        if self._served:
            await socket.close(1013, "one listener")
            return
        self._served = True
        with suppress(TimeoutError):  # some venues are told in the URL what is wanted
            async with asyncio.timeout(_SUBSCRIBED_S):
                await socket.recv()  # a recording has its own acknowledgements
        self.started = self._clock.monotonic()
        first_ns = next((f.recv_ns for f in self._recorded if f.recv_ns is not None), None)
        for frame in self._recorded:
            if self._speed and frame.recv_ns is not None and first_ns is not None:
                due = self.started + (frame.recv_ns - first_ns) / 1e9 / self._speed
                await asyncio.sleep(max(0.0, due - self._clock.monotonic()))
            await socket.send(frame.data, text=True)
        await socket.wait_closed()


@contextmanager
def bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr; the function given takes how far things are."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("frames", total=total)
        yield lambda done: progress.update(task, completed=done)
