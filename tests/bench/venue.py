"""A venue that sends frames from files, as fast as they are read or at a rate.

It speaks as Binance does: a socket says SUBSCRIBE and hears what its streams carry.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from bench.market import NOW_MS
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from foreshock_exchanges.venues.binance.streams import MARKS
from foreshock_kit.processes import spawn
from foreshock_kit.testing import eventually

_AT_ONCE: Final = 100
_STEP_S: Final = 0.01
_HELLO_S: Final = 60.0
_ASKED: Final = re.compile(r'"(\w+)@aggTrade"')
_SYMBOL: Final = re.compile(rb'"s":"(\w+)"')
_NOW: Final = b"%d" % NOW_MS


class Feed(msgspec.Struct, frozen=True):
    """What sockets that ask for a stream hear, at `rate` frames a second (0: as fast as it goes).

    At a rate, `NOW_MS` in a frame becomes the time at which it is sent.
    """

    stream: str
    frames: str
    rate: float = 0.0


class Orders(msgspec.Struct, frozen=True):
    """What a venue is told on its command line."""

    feeds: list[Feed]
    announces: str


@asynccontextmanager
async def venue(folder: Path, feeds: list[Feed]) -> AsyncIterator[str]:
    """Run a venue as a process while the block runs; yield its websocket URL."""
    announces = folder / "venue"
    announces.unlink(missing_ok=True)
    orders = msgspec.json.encode(Orders(feeds, str(announces))).decode()
    words = (sys.executable, "-m", "bench.venue", orders)
    process = await spawn(*words, log=folder / "venue.log")
    try:
        await eventually(announces.exists, 60)
        yield announces.read_text()
    finally:
        process.kill()
        await process.wait()


def _packed(feed: Feed, asked: str) -> tuple[list[bytes], float]:
    """Return frames as they are on the wire, many in each piece, and how often to send one."""
    symbols = {name.upper().encode() for name in _ASKED.findall(asked)}
    frames = Path(feed.frames).read_bytes().splitlines()
    if symbols:
        frames = [each for each in frames if (s := _SYMBOL.search(each)) and s[1] in symbols]
    at_once = max(1, round(feed.rate * _STEP_S)) if feed.rate else _AT_ONCE
    wire = [Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames]
    pieces = [b"".join(wire[at : at + at_once]) for at in range(0, len(wire), at_once)]
    return pieces, at_once / feed.rate if feed.rate else 0.0


async def _send(socket: ServerConnection, pieces: list[bytes], every_s: float) -> None:
    started = time.monotonic()
    for number, piece in enumerate(pieces):
        if every_s:
            await asyncio.sleep(started + number * every_s - time.monotonic())
        socket.transport.write(_dated(piece) if every_s else piece)
        await socket.drain()


def _dated(piece: bytes) -> bytes:
    return piece.replace(_NOW, b"%d" % (time.time_ns() // 1_000_000))


async def _asked(socket: ServerConnection) -> str:
    """Return all that a socket asks for: the marks come last."""
    asked = ""
    async with asyncio.timeout(_HELLO_S):
        while MARKS not in asked:
            asked += str(await socket.recv())
    return asked


async def _main(orders: Orders) -> None:
    async def talk(socket: ServerConnection) -> None:
        asked = await _asked(socket)
        await socket.send('{"result":null,"id":1}')
        async with asyncio.TaskGroup() as group:
            for feed in orders.feeds:
                if feed.stream in asked:
                    group.create_task(_send(socket, *_packed(feed, asked)))
            await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        fresh = Path(f"{orders.announces}.new")
        fresh.write_text(f"ws://127.0.0.1:{port}")
        fresh.replace(orders.announces)
        await server.wait_closed()


if __name__ == "__main__":
    uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Orders)))
