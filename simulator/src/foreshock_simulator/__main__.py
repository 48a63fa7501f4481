"""The demo's market as a process: `python -m foreshock_simulator`.

Settings: SIM_SEED, SIM_HOST, SIM_BINANCE_PORT (0: any free), SIM_SPEED, SIM_SCENARIO, and
SIM_ENDPOINTS_FILE, where it says at which URL it listens.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from foreshock_simulator.binance.server import serve
from foreshock_simulator.binance.venue import Venue
from foreshock_simulator.market.market import Market

_STEP_S: Final = 0.1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _main() -> None:
    seed = int(os.environ.get("SIM_SEED", "7"))
    speed = float(os.environ.get("SIM_SPEED", "1"))
    market = Market(seed, os.environ.get("SIM_SCENARIO", "demo"))
    venue = Venue(market, seed, _now_ms())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host = os.environ.get("SIM_HOST", "127.0.0.1")
    async with serve(venue, host, int(os.environ.get("SIM_BINANCE_PORT", "0"))) as url:
        sys.stdout.write(f"Simulated Binance: {url}\n")
        sys.stdout.flush()
        _announce(os.environ.get("SIM_ENDPOINTS_FILE"), {"binance": url})
        while not stop.is_set():
            venue.step(_now_ms(), speed)
            try:
                async with asyncio.timeout(_STEP_S):
                    await stop.wait()
            except TimeoutError:
                continue


def _announce(file: str | None, endpoints: dict[str, str]) -> None:
    if file:
        fresh = Path(f"{file}.new")
        fresh.write_text(json.dumps(endpoints))
        fresh.replace(file)


if __name__ == "__main__":
    asyncio.run(_main())
