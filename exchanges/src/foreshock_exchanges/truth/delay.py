"""Whether trades arrive later than they used to."""

from collections import deque
from typing import Final

LATE_MS: Final = 5_000
"""Beyond the usual: late from here on."""

IN_TIME_MS: Final = 2_000
"""Beyond the usual: in time again below this, so that a delay in between changes nothing."""

SECONDS: Final = 10
"""Seconds in a row that have to agree."""

_USUAL_OVER: Final = 600.0


class Delay:
    """How late the freshest trades of each second are, by the exchange's clock and ours.

    A feed is late when those of ten seconds in a row came 5 s later than usual, and in time again
    when those of ten came within 2 s of it. What is usual is learned while it is in time, over
    ten minutes, from zero on.
    """

    def __init__(self) -> None:
        self.is_late = False
        self.since_ms = 0
        self._usual = 0.0
        self._second_ms = 0
        self._freshest = 0
        self._recent: deque[int] = deque(maxlen=SECONDS)

    @property
    def beyond_usual_ms(self) -> float:
        """How much later than usual the freshest of the last seconds' trades came."""
        return min(self._recent, default=0) - self._usual

    def on_second(self, start_ms: int, recv_ms: int) -> None:
        """Take trades of the second from `start_ms`, of which a coin's last came at `recv_ms`."""
        delay = recv_ms - start_ms - 1000
        if start_ms > self._second_ms:
            if self._second_ms:
                self._close()
            self._second_ms, self._freshest = start_ms, delay
        else:
            self._freshest = min(self._freshest, delay)

    def _close(self) -> None:
        recent = self._recent
        recent.append(self._freshest)
        if len(recent) == SECONDS:
            if not self.is_late and min(recent) - self._usual > LATE_MS:
                self.is_late, self.since_ms = True, self._second_ms
            elif self.is_late and max(recent) - self._usual < IN_TIME_MS:
                self.is_late = False
        if self._freshest - self._usual < IN_TIME_MS:
            self._usual += (self._freshest - self._usual) / _USUAL_OVER
