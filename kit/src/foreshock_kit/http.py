"""A venue's REST host, asked within its limits.

Every host has a budget of weight per window, drawn down by what each request costs and by what
the venue's own header says is used. A refusal (403, 418, 429, 451) opens the circuit for as
long as the venue asks: until then every call fails at once, without a packet sent.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx
from prometheus_client import Counter

from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.errors import Permanent, Refused, Transient

REQUESTS: Final = Counter(
    "foreshock_http_requests_total", "REST requests, by host and status.", ["host", "status"]
)

_REFUSALS: Final = {403, 418, 429, 451}
_TRIES: Final = 3
_BACKOFF: Final = Backoff(first_s=0.5, longest_s=8.0)
_DEFAULT_REFUSAL_S: Final = 60.0
_WHOLE_ANSWER_S: Final = 30.0


class HttpClient:
    """Asks one host; an async context manager."""

    def __init__(
        self,
        base_url: str,
        *,
        budget_weight: int,
        budget_window_s: float,
        used_header: str | None = None,
        timeout_s: float = 10.0,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._budget = Budget(budget_weight, budget_window_s)
        self._used_header = used_header
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=timeout_s, transport=transport, follow_redirects=True
        )
        self._host = self._client.base_url.host
        self._closed_until = 0.0

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, at)

    async def get(self, path: str, params: Mapping[str, str], weight: int = 1) -> bytes:
        """Return the body of a GET, as soon as the budget has room for its weight.

        Raises:
            Refused: The venue wants to be left alone, now or since an earlier call.
            Transient: No good answer in three tries.
            Permanent: The venue says that the request itself is wrong.
        """
        failure = ""
        for attempt in range(1, _TRIES + 1):
            self._check_circuit()
            window = await self._budget.spend(weight, self._clock)
            try:
                async with asyncio.timeout(_WHOLE_ANSWER_S):
                    answer = await self._client.get(path, params=dict(params))
                return self._body(answer, path, window)
            except (httpx.RequestError, TimeoutError) as e:
                REQUESTS.labels(self._host, "none").inc()
                failure = f"{self._host}{path}: {type(e).__name__}"
            except Transient as e:
                if isinstance(e, Refused):
                    raise
                failure = str(e)
            if attempt < _TRIES:
                await asyncio.sleep(_BACKOFF.delay(attempt))
        raise Transient(f"{failure} ({_TRIES} tries)")

    def _check_circuit(self) -> None:
        left = self._closed_until - self._clock.monotonic()
        if left > 0:
            raise Refused(f"{self._host} is left alone for {left:.0f} s more", 429, left)

    def _body(self, answer: httpx.Response, path: str, window: int) -> bytes:
        status = answer.status_code
        REQUESTS.labels(self._host, str(status)).inc()
        if self._used_header and (used := answer.headers.get(self._used_header, "")).isdigit():
            self._budget.used(int(used), window)
        if status == httpx.codes.OK:
            return answer.content
        where = f"{self._host}{path} answered {status}"
        if status in _REFUSALS:
            wait_s = _retry_after(answer)
            until = self._clock.monotonic() + wait_s
            self._closed_until = max(self._closed_until, until)
            raise Refused(f"{where}: left alone for {wait_s:.0f} s", status, wait_s)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Transient(where)
        raise Permanent(f"{where}: {answer.text[:200]}")


class Budget:
    """Weight to spend in each window; waits for the next window when it is used up."""

    def __init__(self, weight: int, window_s: float) -> None:
        self._weight = weight
        self._window_s = window_s
        self._window = -1
        self._spent = 0

    async def spend(self, weight: int, clock: Clock) -> int:
        """Return the window's number once `weight` fits into it, and count it.

        A request that costs more than a whole window has one for itself.
        """
        while True:
            self._turn(clock)
            if self._spent == 0 or self._spent + weight <= self._weight:
                self._spent += weight
                return self._window
            await asyncio.sleep(self._window_s - clock.now_ms() / 1000 % self._window_s)

    def used(self, weight: int, window: int) -> None:
        """Take the venue's word for what was used in a window, if it is more than we know.

        Others behind the same address spend from the venue's limit, too. What is said of a
        window that has passed means nothing to the next.
        """
        if window == self._window:
            self._spent = max(self._spent, min(weight, self._weight))

    def _turn(self, clock: Clock) -> None:
        window = int(clock.now_ms() / 1000 // self._window_s)
        if window != self._window:
            self._window, self._spent = window, 0


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else _DEFAULT_REFUSAL_S
