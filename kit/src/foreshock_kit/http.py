"""A venue's REST host, asked within its limits.

Every host has a budget of weight per window, drawn down by what each request costs and by what
the venue's own header says is used. A refusal (403, 418, 429, 451, or a body that means it) opens
the circuit for as long as the venue asks: until then every call fails at once, without a packet
sent.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx
from prometheus_client import Counter

from foreshock_kit.backoff import Backoff
from foreshock_kit.errors import Permanent, Refused, Transient
from foreshock_kit.limits import Answer, Host

REQUESTS: Final = Counter(
    "foreshock_http_requests_total", "REST requests, by host and status.", ["host", "status"]
)

_TRIES: Final = 3
_BACKOFF: Final = Backoff(first_s=0.5, longest_s=8.0)
_WHOLE_ANSWER_S: Final = 30.0
_JSON: Final = {"content-type": "application/json"}


class HttpClient:
    """Asks one host; an async context manager. Clients of the same host share its `limits`."""

    def __init__(
        self,
        base_url: str,
        limits: Host,
        *,
        timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._limits = limits
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=timeout_s, transport=transport, follow_redirects=True
        )
        self._host = self._client.base_url.host

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

    async def get(
        self, path: str, params: Mapping[str, str], weight: int = 1, behind: int = 0
    ) -> bytes:
        """Return the body of a GET, as soon as the budget has room for its weight.

        It comes `behind` other requests that cost so much in each window (`Budget.spend`).

        Raises:
            Refused: The venue wants to be left alone, now or since an earlier call; it is
                `Unavailable` where the venue does not serve the place that we ask from.
            Transient: No good answer in three tries.
            Permanent: The venue says that the request itself is wrong.
        """
        request = self._client.build_request("GET", path, params=dict(params))
        return await self._ask(request, weight, behind)

    async def post(self, path: str, json: str, weight: int = 1, behind: int = 0) -> bytes:
        """Return the body of a POST of JSON; raises what `get` does."""
        request = self._client.build_request("POST", path, content=json, headers=_JSON)
        return await self._ask(request, weight, behind)

    async def _ask(self, request: httpx.Request, weight: int, behind: int) -> bytes:
        where, failure = f"{self._host}{request.url.path}", ""
        for attempt in range(1, _TRIES + 1):
            self._limits.check()
            window = await self._limits.budget.spend(weight, behind)
            self._limits.check()
            try:
                async with asyncio.timeout(_WHOLE_ANSWER_S):
                    answer = await self._client.send(request)
                return self._body(answer, where, window)
            except (httpx.RequestError, TimeoutError) as e:
                REQUESTS.labels(self._host, "none").inc()
                failure = f"{where}: {type(e).__name__}"
            except Transient as e:
                if isinstance(e, Refused):
                    raise
                failure = str(e)
            if attempt < _TRIES:
                await asyncio.sleep(_BACKOFF.delay(attempt))
        raise Transient(f"{failure} ({_TRIES} tries)")

    def _body(self, answer: httpx.Response, where: str, window: int) -> bytes:
        status, limits = answer.status_code, self._limits
        REQUESTS.labels(self._host, str(status)).inc()
        if limits.used_header and (used := answer.headers.get(limits.used_header, "")).isdecimal():
            limits.budget.used(int(used), window)
        told = Answer(status, answer.content, answer.headers.get("retry-after", ""))
        if (refusal := limits.refusal(told, where)) is not None:
            raise refusal
        if status == httpx.codes.OK:
            return answer.content
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            raise Transient(f"{where} answered {status}")
        raise Permanent(f"{where} answered {status}: {answer.text[:200]}")
