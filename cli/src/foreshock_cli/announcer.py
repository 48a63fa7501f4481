"""Where everything is, for outside tools: a file written when all is ready, and kept true."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx
import msgspec

from foreshock_cli import asking, endpoints
from foreshock_cli.endpoints import Endpoints, ServiceEndpoint
from foreshock_cli.supervisor import Supervised
from foreshock_kit.clock import Clock

_POLL_S: Final = 0.05
_LONGEST_POLL_S: Final = 1.0
_REMIND_S: Final = 15.0

Found = dict[str, ServiceEndpoint]


class Announcer:
    """Writes where the services are; one that is away keeps the place that it had."""

    def __init__(
        self,
        file: Path,
        base: Endpoints,
        services: Mapping[str, Supervised],
        *,
        say: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._file = file
        self._base = base
        self._services = services
        self._say = say
        self._clock = clock

    async def keep(
        self,
        http: httpx.AsyncClient,
        changed: asyncio.Event,
        ready: Callable[[Endpoints], None],
    ) -> None:
        """Write the file and call `ready` once all are; then write it anew after every change."""
        known = await self._all_ready(http)
        ready(self._write(known))
        while True:
            await changed.wait()
            changed.clear()
            await self._catch_up(http, known)

    async def _catch_up(self, http: httpx.AsyncClient, known: Found) -> None:
        pause_s = _POLL_S
        while True:
            found, waiting = await self._ask(http)
            if not found.items() <= known.items():
                known |= found
                self._write(known)
            if not waiting:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_POLL_S)

    async def _all_ready(self, http: httpx.AsyncClient) -> Found:
        remind = self._clock.monotonic() + _REMIND_S
        while True:
            found, waiting = await self._ask(http)
            if not waiting:
                return found
            if self._clock.monotonic() > remind:
                remind += _REMIND_S
                self._say(f"still waiting for {', '.join(waiting)}")
            await asyncio.sleep(_POLL_S)

    async def _ask(self, http: httpx.AsyncClient) -> tuple[Found, list[str]]:
        """Return those that are ready, and of the others what they wait for."""
        answers = {name: await _ready(http, each) for name, each in self._services.items()}
        found = {n: answer for n, answer in answers.items() if not isinstance(answer, str)}
        return found, [f"{n} {answer}" for n, answer in answers.items() if isinstance(answer, str)]

    def _write(self, services: Found) -> Endpoints:
        current = msgspec.structs.replace(self._base, services=dict(services))
        endpoints.write(self._file, current)
        return current


async def _ready(http: httpx.AsyncClient, service: Supervised) -> ServiceEndpoint | str:
    pid, url = service.pid, asking.address(service.program.announces)
    if pid is None or url is None:
        return "has not started"
    why = await asking.unready(http, url)
    return ServiceEndpoint(pid=pid, health=url) if why is None else why
