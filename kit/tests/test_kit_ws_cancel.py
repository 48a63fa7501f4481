"""Cancelling ends a socket's holder, whatever it is just doing."""

import asyncio

import pytest
from websockets.asyncio.server import serve

from foreshock_kit.testing import eventually
from foreshock_kit.testing.feed import Feed
from foreshock_kit.ws import CONNECTED, Reconnecting, hold_open


async def echo(socket):
    async for word in socket:
        await socket.send(word)


async def cancelled(task):
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_while_frames_arrive_and_the_socket_is_closed_then():
    frames, name = [], "cancel-open"

    async def on_frame(frame, since_ms):
        frames.append(frame)
        return "market"

    async with serve(echo, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        task = asyncio.ensure_future(hold_open(name, Feed(url=url), on_frame))
        await eventually(lambda: frames == [b"subscribe"])
        assert CONNECTED.labels(name)._value.get() == 1
        await cancelled(task)
        await eventually(lambda: not server.connections)
    assert CONNECTED.labels(name)._value.get() == 0


async def test_while_a_frame_is_being_taken_in():
    busy = asyncio.Event()

    async def on_frame(frame, since_ms):
        busy.set()
        await asyncio.Event().wait()
        return "market"

    async with serve(echo, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        task = asyncio.ensure_future(hold_open("cancel-busy", Feed(url=url), on_frame))
        await asyncio.wait_for(busy.wait(), 10)
        await cancelled(task)


async def test_while_it_waits_before_another_try(unused_port):
    down = asyncio.Event()

    async def on_state(state, reason, at_ms):
        down.set()

    async def on_frame(frame, since_ms):
        return "market"

    class Long(Reconnecting, frozen=True):
        def delay(self, failures):
            return 600.0

    feed = Feed(url=f"ws://127.0.0.1:{unused_port}")
    task = asyncio.ensure_future(
        hold_open("cancel-wait", feed, on_frame, on_state=on_state, backoff=Long())
    )
    await asyncio.wait_for(down.wait(), 10)
    await cancelled(task)
