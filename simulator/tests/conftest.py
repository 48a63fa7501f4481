"""A simulated venue over real sockets and HTTP, with its time in the test's hand."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

T0 = 1_790_000_000_000
STEP_MS = 100


class Served:
    """One venue of a world as a client has it."""

    def __init__(self, world, name, http):
        self.world = world
        self.venue = world.venues[name]
        self.http = http

    @property
    def now_ms(self):
        return self.world.now_ms

    def step(self, seconds=0.1):
        for _ in range(round(seconds * 1000 / STEP_MS)):
            self.world.step(self.world.now_ms + STEP_MS)

    async def get(self, path, **params):
        async with self.http.get(path, params=params) as answer:
            return json.loads(await answer.read())

    async def order(self, **fault):
        async with self.http.post("/_sim/fault", json=fault) as answer:
            return answer.status

    async def ledger(self):
        return await self.get("/_sim/ledger", trades="")

    @asynccontextmanager
    async def socket(self, path):
        before = set(self.venue.listeners)
        closing = aiohttp.ClientWSTimeout(ws_close=0.3)
        async with self.http.ws_connect(path, timeout=closing) as socket:
            while not (fresh := self.venue.listeners - before):
                await asyncio.sleep(0)
            (listener,) = fresh
            yield Socket(self, socket, listener)


class Socket:
    """One connection; `listener` is the venue's side of it."""

    def __init__(self, served, socket, listener):
        self.served = served
        self.raw = socket
        self.listener = listener

    async def say(self, message):
        await self.raw.send_str(message if isinstance(message, str) else json.dumps(message))

    async def text(self):
        message = await self.raw.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return message.data

    async def frame(self):
        return json.loads(await self.text())

    async def ask(self, message):
        """Say something; return the first answer."""
        await self.say(message)
        return await self.frame()

    async def waiting(self):
        """Return the frames that wait for this client."""
        return [await self.frame() for _ in range(self.listener.frames.qsize())]

    async def heard(self, seconds):
        """Let time pass; return the frames that it brings."""
        self.served.step(seconds)
        return await self.waiting()

    async def ended(self):
        """Read until the venue closes; return what was said before."""
        said = []
        while (message := await self.raw.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
            said.append(json.loads(message.data))
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return said


@pytest.fixture
def serving():
    @asynccontextmanager
    async def at(name, time_scale=1.0, **world):
        made = World(7, T0, **world)
        async with (
            asyncio.timeout(25),
            serve(made.venues[name], "127.0.0.1", 0, time_scale) as url,
            aiohttp.ClientSession(url) as http,
        ):
            yield Served(made, name, http)

    return at


@pytest.fixture
async def binance(serving):
    async with serving("binance") as served:
        yield served


@pytest.fixture
async def bybit(serving):
    async with serving("bybit") as served:
        yield served


@pytest.fixture
async def okx(serving):
    async with serving("okx") as served:
        yield served
