"""The endpoints file: written when all are ready, true for the others while one is away."""

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace

import httpx
import msgspec
import pytest

from foreshock_cli.announcer import Announcer
from foreshock_cli.endpoints import Endpoints
from foreshock_kit.clock import SystemClock
from foreshock_kit.health import Health
from foreshock_kit.http_server import serve
from foreshock_kit.testing import eventually


class Served:
    """A supervised service whose health server is a real one."""

    def __init__(self, folder, name):
        self.pid = None
        self.health = Health()
        self.program = SimpleNamespace(announces=folder / f"{name}.health")
        self._stack = AsyncExitStack()

    async def start(self, pid):
        server = await self._stack.enter_async_context(serve("127.0.0.1", 0, self.health.routes()))
        self.pid = pid
        self.health.set("work", ok=True)
        self.program.announces.write_text(server.url)

    async def stop(self):
        self.pid = None
        await self._stack.aclose()


@pytest.fixture
async def crew(tmp_path):
    made = {name: Served(tmp_path, name) for name in ("one", "other")}
    yield made
    for each in made.values():
        await each.stop()


async def test_others_are_kept_current_while_one_is_away(tmp_path, crew):
    file, changed, told = tmp_path / "endpoints.json", asyncio.Event(), []
    base = Endpoints(kafka="k", schema_registry="r", services={}, embedded_broker=True)
    announcer = Announcer(file, base, crew, say=told.append, clock=SystemClock())

    def pids():
        found = msgspec.json.decode(file.read_bytes(), type=Endpoints).services
        return {name: each.pid for name, each in found.items()}

    async with asyncio.timeout(20), httpx.AsyncClient() as http, asyncio.TaskGroup() as group:
        keeping = group.create_task(announcer.keep(http, changed, told.append))
        await crew["one"].start(1)
        await crew["other"].start(2)
        await eventually(lambda: told)
        assert pids() == {"one": 1, "other": 2}
        await crew["one"].stop()
        await crew["other"].stop()
        await crew["other"].start(3)
        changed.set()
        await eventually(lambda: pids() == {"one": 1, "other": 3})
        await crew["one"].start(4)
        await eventually(lambda: pids() == {"one": 4, "other": 3})
        keeping.cancel()
    assert [each.services.keys() for each in told] == [{"one", "other"}]
