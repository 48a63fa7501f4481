"""The simulated venues with as many contracts as are asked for: `python -m bench.exchange`."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec
from bench.market import coins

from foreshock_simulator.market.profiles import DEMO, Profile
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

_STEP_S: Final = 0.1


def profiles(count: int) -> list[Profile]:
    """Return the demo's contracts, and small ones after them."""
    more = [
        msgspec.structs.replace(DEMO[-1], base=name, price=10.0 + place)
        for place, name in enumerate(coins(count)[len(DEMO) :])
    ]
    return [*DEMO, *more]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _main(count: int, announces: Path) -> None:
    world = World(7, _now_ms(), profiles=profiles(count))
    async with AsyncExitStack() as stack:
        urls = {
            name: await stack.enter_async_context(serve(venue, "127.0.0.1", 0))
            for name, venue in world.venues.items()
        }
        fresh = announces.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(urls))
        fresh.replace(announces)
        while True:
            world.step(_now_ms())
            await asyncio.sleep(_STEP_S)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2])))
