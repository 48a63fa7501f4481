"""Memory and CPU of seven services and the embedded broker, 60 coins x 3 exchanges."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from bench.bench_ingest import PUBLISHED
from bench.harness import Goal, Row, median, row, say
from bench.measuring import cpu_s, pss_mib
from bench.stack import Stack, stack

from foreshock_kit.processes import spawn
from foreshock_kit.testing import eventually

_COINS: Final = 60
_EXCHANGES: Final = 3
_MINUTES: Final = float(os.environ.get("BENCH_MINUTES", "3"))
_LOOK_EVERY_S: Final = 5.0
_SERVICES: Final = 7
_MARKET: Final = "market"
_BROKER: Final = "broker"
_SIZE: Final = f"{_COINS} coins x {_EXCHANGES} exchanges, {_MINUTES:g} min"


class _Look(msgspec.Struct, frozen=True):
    """By one moment: how many trades were published, each process's MiB and CPU seconds."""

    at_s: float
    trades: float
    memory: dict[str, float]
    cpu: dict[str, float]


class _Exchange(msgspec.Struct, frozen=True):
    pid: int
    urls: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        hosts = self.urls.items()
        sockets = ((name, url.replace("http", "ws", 1)) for name, url in hosts)
        return {
            "EXCHANGES": ",".join(self.urls),
            "EXCHANGE_REST_URLS": ",".join(f"{name}={url}" for name, url in hosts),
            "EXCHANGE_WS_URLS": ",".join(f"{name}={url}" for name, url in sockets),
            "MARKET_CAP_SOURCES": "binance,bundled",
            "COINS_TOP": str(_COINS),
            "ENABLE_PREDICTIVE_ZONES": "true",
        }


async def run() -> list[Row]:
    """Look at the whole stack for `BENCH_MINUTES` minutes."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        imports = await _imports_mib(folder)
        async with _exchange(folder) as exchange, stack(folder, exchange.env) as running:
            looks = await _looks(running, exchange)
    return [*_memory(looks, imports), *_cpu(looks)]


def _memory(looks: Sequence[_Look], imports: float) -> list[Row]:
    services = [sum(look.memory.values()) - look.memory[_BROKER] for look in looks]
    quarter = max(1, len(looks) // 4)
    return [
        row(
            f"seven services and the broker, the most, {_SIZE}",
            max(sum(look.memory.values()) for look in looks),
            "MiB (PSS)",
            "seven processes that only import",
            imports,
            Goal(at_most=300),
        ),
        row(
            f"seven services, last quarter, {_SIZE}",
            median(services[-quarter:]),
            "MiB (PSS)",
            "themselves, the second quarter",
            median(services[quarter : 2 * quarter]),
            Goal(ratio_at_most=1.02),
        ),
    ]


def _cpu(looks: Sequence[_Look]) -> list[Row]:
    """Return what the processes used, beside what making and sending the same frames took."""
    first, last = looks[0], looks[-1]
    used = _cores(first, last)
    market, broker = used.pop(_MARKET), used.pop(_BROKER)
    services = sum(used.values())
    pace = (last.trades - first.trades) / (last.at_s - first.at_s)

    def figure(name: str, cores: float, reference: str, its: float) -> Row:
        return row(name, cores, f"CPU s per s, {pace:.0f} trades/s", reference, its, Goal())

    return [
        figure(f"seven services, {_SIZE}", services, "the simulated market", market),
        figure(f"the broker, {_SIZE}", broker, "the simulated market", market),
        *(figure(name, cores, "all seven services", services) for name, cores in used.items()),
    ]


def _cores(first: _Look, last: _Look) -> dict[str, float]:
    passed_s = last.at_s - first.at_s
    return {name: (last.cpu[name] - first.cpu[name]) / passed_s for name in last.cpu}


async def _looks(running: Stack, exchange: _Exchange) -> list[_Look]:
    ours = running.pids()
    everyone = ours | {_MARKET: exchange.pid}
    looks = []
    ends = time.monotonic() + _MINUTES * 60
    while time.monotonic() < ends:
        await asyncio.sleep(_LOOK_EVERY_S)
        trades = await running.metric("ingest-trades", PUBLISHED)
        memory, cpu = _of_each(pss_mib, ours), _of_each(cpu_s, everyone)
        looks.append(look := _Look(time.monotonic(), trades, memory, cpu))
        left_s = max(0.0, ends - time.monotonic())
        say(f"memory: {sum(look.memory.values()):.0f} MiB, {left_s:.0f} s to go")
    return looks


def _of_each(figure: Callable[[int], float], pids: Mapping[str, int]) -> dict[str, float]:
    return {name: figure(pid) for name, pid in pids.items()}


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
async def _exchange(folder: Path) -> AsyncIterator[_Exchange]:
    announces = folder / "exchange"
    words = (sys.executable, "-m", "bench.exchange", str(_COINS), str(announces))
    process = await spawn(*words, log=folder / "exchange.log")
    try:
        await eventually(announces.exists, 30)
        yield _Exchange(process.pid, msgspec.json.decode(announces.read_bytes()))
    finally:
        process.kill()
        await process.wait()
