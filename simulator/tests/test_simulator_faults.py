"""Trouble to order: frames that are lost or come twice, and connections that are cut."""

import asyncio

import aiohttp
import pytest

from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

T0 = 1_790_000_000_000
MARKS = "!markPrice@arr@1s"


@pytest.fixture
async def world():
    return World(7, T0, shares={"binance": 1.0})


@pytest.fixture
async def venue(world):
    return world.venues["binance"]


@pytest.fixture
async def http(venue):
    async with (
        asyncio.timeout(20),
        serve(venue, "127.0.0.1", 0) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield session


async def order(http, **fault):
    async with http.post("/_sim/fault", json=fault) as answer:
        return answer.status


async def marks_heard(http, world, seconds):
    """Return how many frames of marks a listener gets while the market runs."""
    venue = world.venues["binance"]
    async with http.ws_connect(f"/market/ws/{MARKS}") as socket:
        while not venue.listeners:
            await asyncio.sleep(0)
        for _ in range(seconds * 10):
            world.step(world.now_ms + 100)
        (listener,) = venue.listeners
        count = listener.frames.qsize()
        for _ in range(count):
            await socket.receive(timeout=5)
        return count


async def test_without_orders_two_frames_of_marks_come_a_second(http, world):
    assert await marks_heard(http, world, 3) == 6


async def test_frames_are_dropped_as_often_as_ordered(http, world):
    assert await order(http, kind="drop", stream=MARKS, count=2) == 200
    assert await marks_heard(http, world, 3) == 4


async def test_frames_come_twice_as_often_as_ordered(http, world):
    assert await order(http, kind="duplicate", stream=MARKS, count=2) == 200
    assert await marks_heard(http, world, 3) == 8


async def test_connections_are_cut(http, world):
    async with http.ws_connect("/market/ws") as socket:
        assert await order(http, kind="disconnect") == 200
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize(
    "fault",
    [
        b"",
        b"garbage",
        b"[]",
        b'{"kind":"rain"}',
        b'{"kind":"drop","count":"x"}',
        b'{"kind":"drop","count":0}',
        b'{"kind":"drop","stream":1}',
        b'{"count":1}',
    ],
)
async def test_what_cannot_be_ordered_is_refused(http, fault):
    async with http.post("/_sim/fault", data=fault) as answer:
        assert answer.status == 400


async def test_the_ledger_counts_what_was_sent(http, world):
    assert await order(http, kind="drop", stream=MARKS, count=1) == 200
    await marks_heard(http, world, 2)
    async with http.get("/_sim/ledger") as ledger:
        assert (await ledger.json())["sent"][MARKS] == 3
