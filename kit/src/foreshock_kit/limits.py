"""What a venue's REST host allows: a budget of weight, and a circuit that opens when it refuses."""

import asyncio
import re
from collections import deque
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import msgspec

from foreshock_kit.clock import Clock
from foreshock_kit.errors import Refused, Unavailable

REFUSALS: Final = frozenset({403, 418, 429, 451})
_TOO_MANY: Final = 429
_FORBIDDEN: Final = 403
_ILLEGAL: Final = 451
_REFUSED_S: Final = 60.0
_UNAVAILABLE_S: Final = 3600.0
_LEFT_FREE: Final = 1 / 3
"""Of the limit, where the host says how much of it is used: the others' behind our address."""

_TICK_S: Final = 0.001
"""More than what rounding may leave of a wait."""

_READ_CHARS: Final = 2000
_BANNED_UNTIL: Final = re.compile(r"\buntil (\d{13})\b")
_LOCATION: Final = re.compile(
    r"\b(location|country|countries|region|jurisdiction|territory)\b", re.IGNORECASE
)


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A host's limit, `weight` per `window_s`, and our `share` of it.

    `used_header` is where the host says what is used in its window by everybody behind our
    address. `refused_s` is how long to leave it alone, by status, where it does not say so
    itself; a body that matches `slow_down` means the same as a status of 429.
    """

    weight: int
    window_s: float
    share: float = 1.0
    used_header: str | None = None
    refused_s: tuple[tuple[int, float], ...] = ()
    slow_down: str | None = None


class BudgetLike(Protocol):
    """A limit in a venue's words; an exchange's `Budget` happens to have them."""

    @property
    def weight(self) -> int:
        """How much may be asked in a window."""
        ...

    @property
    def window_s(self) -> float:
        """How long a window is."""
        ...

    @property
    def used_header(self) -> str | None:
        """Where the host says what is used."""
        ...

    @property
    def refused_s(self) -> tuple[tuple[int, float], ...]:
        """How long to leave it alone, by status."""
        ...

    @property
    def slow_down(self) -> str | None:
        """What a body says that means a status of 429."""
        ...


def limit_of(budget: BudgetLike, share: float) -> Limit:
    """Return a venue's limit with our share of it."""
    return Limit(
        weight=budget.weight,
        window_s=budget.window_s,
        share=share,
        used_header=budget.used_header,
        refused_s=budget.refused_s,
        slow_down=budget.slow_down,
    )


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What of an answer tells whether it is a refusal."""

    status: int
    body: bytes
    retry_after: str = ""

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:_READ_CHARS].decode(errors="replace")


class Host:
    """One host's limit as a process keeps it; clients of the same host share one."""

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self.budget = Budget(limit, clock)
        self.used_header = limit.used_header
        self._clock = clock
        self._refused_s = dict(limit.refused_s)
        self._slow_down = re.compile(limit.slow_down) if limit.slow_down else None
        self._closed_until = 0.0
        self._refusal: Refused | None = None

    def check(self) -> None:
        """Check that the host may be asked.

        Raises:
            Refused: Not yet; it is the last refusal again, with the time that is left.
        """
        left = self._closed_until - self._clock.monotonic()
        if self._refusal is not None and left > 0:
            message = f"left alone for {left:.0f} s more: {self._refusal}"
            raise type(self._refusal)(message, self._refusal.status, left)

    def refusal(self, answer: Answer, where: str) -> Refused | None:
        """Return what an answer refuses, if it does, and open the circuit for as long."""
        status = answer.status
        if status not in REFUSALS:
            if self._slow_down is None or not self._slow_down.search(answer.text):
                return None
            status = _TOO_MANY
        kind, wait_s = Refused, self._wait_s(status, answer)
        if status == _ILLEGAL or (status == _FORBIDDEN and _LOCATION.search(answer.text)):
            kind, wait_s = Unavailable, max(wait_s, _UNAVAILABLE_S)
        refusal = kind(f"{where} answered {answer.status}", status, wait_s)
        until = self._clock.monotonic() + wait_s
        if until >= self._closed_until:
            self._closed_until, self._refusal = until, refusal
        return refusal

    def _wait_s(self, status: int, answer: Answer) -> float:
        told = answer.retry_after.strip()
        if told.isdecimal():
            return float(told)
        now_ms = self._clock.now_ms()
        until_ms = _date_ms(told) or _banned_until_ms(answer.text)
        if until_ms is not None and until_ms > now_ms:
            return (until_ms - now_ms) / 1000
        return self._refused_s.get(status, _REFUSED_S)


class Budget:
    """Weight to spend: our share in any `window_s`, wherever that begins.

    A window that slides has no edge at which two shares meet. A request that costs more than the
    share has a window for itself.
    """

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self._most = max(1, int(limit.weight * limit.share))
        self._common = limit.weight * (1 - _LEFT_FREE)
        self._window_s = limit.window_s
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0
        self._window = -1
        self._said = 0
        self._turn = asyncio.Lock()
        self._turn_behind = asyncio.Lock()

    async def spend(self, weight: int, behind: int = 0) -> int:
        """Return the number of the host's window once there is room; who comes first goes first.

        What comes `behind` others, which spend so much in each window, lets them pass and leaves
        room for them to come again: for all of them, or where they leave less for half of that.
        """
        spare = max(0, min(behind, (self._most - behind) // 2))
        async with self._turn_behind if behind else self._turn:
            while (wait_s := self._wait_s(weight + spare)) > 0:
                await asyncio.sleep(wait_s + _TICK_S)
            if weight:
                self._spent.append((self._clock.monotonic(), weight))
                self._sum += weight
            if self._said:
                self._said += weight
            return self._window

    def used(self, weight: int, window: int) -> None:
        """Take the host's word for what was used in a window by everybody behind our address.

        What is said of a window that has passed means nothing to the next.
        """
        self._look()
        if window == self._window:
            self._said = max(self._said, weight)

    def _wait_s(self, weight: int) -> float:
        self._look()
        if self._said and self._said + weight > self._common:
            return self._window_s - self._clock.now_ms() / 1000 % self._window_s
        room, free_at = self._most - self._sum, 0.0
        for at, lapsing in self._spent:
            if room >= min(weight, self._most):
                break
            room, free_at = room + lapsing, at + self._window_s
        return free_at - self._clock.monotonic()

    def _look(self) -> None:
        oldest = self._clock.monotonic() - self._window_s
        while self._spent and self._spent[0][0] <= oldest:
            self._sum -= self._spent.popleft()[1]
        window = int(self._clock.now_ms() / 1000 // self._window_s)
        if window != self._window:
            self._window, self._said = window, 0


def _date_ms(text: str) -> int | None:
    """Return the time of an HTTP date, which is in GMT."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return round(date.replace(tzinfo=date.tzinfo or UTC).timestamp() * 1000)


def _banned_until_ms(text: str) -> int | None:
    found = _BANNED_UNTIL.search(text)
    return int(found[1]) if found else None
