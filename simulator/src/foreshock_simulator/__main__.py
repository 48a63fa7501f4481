"""The demo's market as a process: `python -m foreshock_simulator`.

Settings: SIM_SEED, SIM_HOST, SIM_BINANCE_PORT, SIM_BYBIT_PORT and SIM_OKX_PORT (0: any free),
SIM_SPEED, SIM_SCENARIO, and SIM_ENDPOINTS_FILE, where it says at which URLs it listens.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final

import msgspec

from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

_PREFIX: Final = "SIM_"
_STEP_S: Final = 0.1

_LIVE: Final = tuple(name for name, scenario in SCENARIOS.items() if scenario.live)

_Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """For example `SIM_SEED=8 SIM_SCENARIO=calm`."""

    seed: Annotated[int, msgspec.Meta(ge=0)] = 7
    host: str = "127.0.0.1"
    binance_port: _Port = 0
    bybit_port: _Port = 0
    okx_port: _Port = 0
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    scenario: str = "demo"
    endpoints_file: str | None = None


def _load(env: Mapping[str, str]) -> Settings:
    names = Settings.__struct_fields__
    given = {n: env[_PREFIX + n.upper()] for n in names if env.get(_PREFIX + n.upper())}
    settings = msgspec.convert(given, Settings, strict=False)
    if settings.scenario not in _LIVE:
        raise msgspec.ValidationError(f"scenario is one of {', '.join(_LIVE)}")
    return settings


async def _serve(settings: Settings) -> None:
    world = World(settings.seed, _now_ms(), settings.scenario)
    ports = {
        "binance": settings.binance_port,
        "bybit": settings.bybit_port,
        "okx": settings.okx_port,
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        urls = {
            name: await stack.enter_async_context(serve(venue, settings.host, ports[name]))
            for name, venue in world.venues.items()
        }
        for name, url in urls.items():
            sys.stdout.write(f"Simulated {name}: {url}\n")
        sys.stdout.flush()
        _announce(settings.endpoints_file, urls)
        while not stop.is_set():
            world.step(_now_ms(), settings.speed)
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


def main() -> int:
    """Serve until SIGTERM or SIGINT; 78 for bad settings, 1 for a port that cannot be had."""
    try:
        settings = _load(os.environ)
    except msgspec.ValidationError as e:
        sys.stderr.write(f"{_PREFIX}…: {e}\n")
        return 78
    try:
        asyncio.run(_serve(settings))
    except OSError as e:
        sys.stderr.write(f"Simulated market: {e.strerror or e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
