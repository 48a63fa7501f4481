"""Memory of seven services and the embedded broker, 80 coins, and whether it stays."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.harness import Goal, Row, median, row, say
from bench.measuring import pss_mib
from bench.stack import Stack, stack

from foreshock_kit.processes import spawn
from foreshock_kit.testing import eventually

_COINS: Final = 80
_MINUTES: Final = float(os.environ.get("BENCH_MINUTES", "3"))
_LOOK_EVERY_S: Final = 5.0
_SERVICES: Final = 7


async def run() -> list[Row]:
    """Look at the whole stack for `BENCH_MINUTES` minutes."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        imports = await _imports_mib(folder)
        async with _exchange(folder) as url:
            env = {
                "EXCHANGES": "binance",
                "EXCHANGE_REST_URLS": f"binance={url}",
                "EXCHANGE_WS_URLS": f"binance={url.replace('http', 'ws', 1)}",
                "MARKET_CAP_SOURCES": "binance,bundled",
                "COINS_TOP": str(_COINS),
                "ENABLE_PREDICTIVE_ZONES": "true",
            }
            async with stack(folder, env) as running:
                looks = await _looks(running)
    services = [sum(look.values()) - look["broker"] for look in looks]
    quarter = max(1, len(looks) // 4)
    return [
        row(
            f"seven services and the broker, {_COINS} coins x 1 exchange, {_MINUTES:g} min",
            sum(looks[-1].values()),
            "MiB (PSS)",
            "seven processes that only import",
            imports,
            Goal(at_most=300),
        ),
        row(
            f"seven services, last quarter of {_MINUTES:g} min",
            median(services[-quarter:]),
            "MiB (PSS)",
            "themselves, the second quarter",
            median(services[quarter : 2 * quarter]),
            Goal(ratio_at_most=1.02),
        ),
    ]


async def _looks(running: Stack) -> list[dict[str, float]]:
    looks = []
    ends = time.monotonic() + _MINUTES * 60
    while time.monotonic() < ends:
        await asyncio.sleep(_LOOK_EVERY_S)
        look = {name: pss_mib(pid) for name, pid in running.pids().items()}
        looks.append(look)
        left_s = max(0.0, ends - time.monotonic())
        say(f"memory: {sum(look.values()):.0f} MiB, {left_s:.0f} s to go")
    return looks


async def _imports_mib(folder: Path) -> float:
    """Return what seven processes take that import what the fork server does, and do nothing."""
    say("memory: imports alone")
    script = "import foreshock_cli.preload, sys, time; print(1, flush=True); time.sleep(600)"
    logs = [folder / f"imports-{number}" for number in range(_SERVICES)]
    processes = [await spawn(sys.executable, "-c", script, log=log) for log in logs]
    try:
        await eventually(lambda: all(log.read_bytes() for log in logs), 60)
        return sum(pss_mib(process.pid) for process in processes)
    finally:
        for process in processes:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _exchange(folder: Path) -> AsyncIterator[str]:
    announces = folder / "exchange"
    words = (sys.executable, "-m", "bench.exchange", str(_COINS), str(announces))
    process = await spawn(*words, log=folder / "exchange.log")
    try:
        await eventually(announces.exists, 30)
        yield announces.read_text()
    finally:
        process.kill()
        await process.wait()
