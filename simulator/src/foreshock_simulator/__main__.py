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
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from foreshock_simulator.binance.server import serve
from foreshock_simulator.binance.venue import Venue
from foreshock_simulator.market.market import Market

_PREFIX: Final = "SIM_"
_STEP_S: Final = 0.1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """For example `SIM_SEED=8 SIM_SCENARIO=calm`."""

    seed: Annotated[int, msgspec.Meta(ge=0)] = 7
    host: str = "127.0.0.1"
    binance_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    scenario: Literal["demo", "calm"] = "demo"
    endpoints_file: str | None = None


def _load(env: Mapping[str, str]) -> Settings:
    names = Settings.__struct_fields__
    given = {n: env[_PREFIX + n.upper()] for n in names if env.get(_PREFIX + n.upper())}
    return msgspec.convert(given, Settings, strict=False)


async def _serve(settings: Settings) -> None:
    market = Market(settings.seed, settings.scenario)
    venue = Venue(market, settings.seed, _now_ms())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(venue, settings.host, settings.binance_port) as url:
        sys.stdout.write(f"Simulated Binance: {url}\n")
        sys.stdout.flush()
        _announce(settings.endpoints_file, {"binance": url})
        while not stop.is_set():
            venue.step(_now_ms(), settings.speed)
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
        sys.stderr.write(f"Simulated Binance: {e.strerror or e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
