"""One connection: what it subscribed to, the frames that wait for it, and how long it lives."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final

import msgspec

_WAITING_FRAMES: Final = 4096


class Overrun(Exception):
    """The client says more than the venue bears; the connection is closed with 1008."""


class Life:
    """When a connection is cut: at its end, and before if nothing renews it for `idle_s`.

    `time_scale` is how long a second of the venue's takes.
    """

    def __init__(
        self, cut: asyncio.Timeout, idle_s: float, lasts_s: float, time_scale: float = 1.0
    ) -> None:
        self._cut = cut
        self._scale = time_scale
        self._idle_s = idle_s
        self._ends = _now() + lasts_s * time_scale
        self.renew()

    def renew(self) -> None:
        """Begin the idle time anew."""
        self._reschedule(min(self._ends, _now() + self._idle_s * self._scale))

    def end_in(self, seconds: float) -> None:
        """Let it end so soon, whatever happens."""
        self._ends = min(self._ends, _now() + seconds * self._scale)
        self.renew()

    def hang(self) -> None:
        """Let it never end by itself."""
        self._ends = self._idle_s = float("inf")
        self._reschedule(None)

    def _reschedule(self, when: float | None) -> None:
        if not self._cut.expired():
            self._cut.reschedule(when)


class Listener(ABC):
    """What the venues' connections have in common. `streams` are those it hears."""

    renews_on_push: ClassVar[bool] = False
    renews_on_pong: ClassVar[bool] = False

    def __init__(self) -> None:
        self.streams: dict[str, None] = {}
        self.frames: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_FRAMES)
        self.half_open = False
        self.life: Life | None = None

    def hears(self, stream: str) -> bool:
        """Return whether a frame of this stream goes to it."""
        return stream in self.streams

    def wrapped(self, _stream: str, payload: Any) -> Any:
        """Return a payload as this connection gets it."""
        return payload

    def put(self, stream: str, payload: Any) -> bool:
        """Queue a push; return whether there was room. Who does not keep up is cut off."""
        return self.say(msgspec.json.encode(self.wrapped(stream, payload)))

    def say(self, frame: bytes) -> bool:
        """Queue a frame as it is."""
        if self.half_open:
            return False
        if self.frames.full():
            self.end_in(0.0)
            return False
        self.frames.put_nowait(frame)
        if self.renews_on_push:
            self.renew()
        return True

    @abstractmethod
    def hear(self, text: str, now_s: float) -> None:
        """Answer one message of the client.

        Raises:
            Overrun: It was one too many.
        """

    def ponged(self) -> None:
        """Take note of a pong frame."""
        if self.renews_on_pong:
            self.renew()

    def renew(self) -> None:
        """Begin its idle time anew."""
        if self.life is not None:
            self.life.renew()

    def end_in(self, seconds: float) -> None:
        """Have it cut so soon."""
        if self.life is not None:
            self.life.end_in(seconds)

    def hang(self) -> None:
        """From now on answer nothing, send nothing and do not close."""
        self.half_open = True
        if self.life is not None:
            self.life.hang()


def _now() -> float:
    return asyncio.get_running_loop().time()
