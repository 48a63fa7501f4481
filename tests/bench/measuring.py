"""Looking at processes from outside, and references that run in the environment of their own."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from foreshock_kit.testing.process import ServiceProcess

PYTHON: Final = Path(".venv-bench/bin/python")
"""Where cryptofeed and Quix Streams are installed."""

_HERE: Final = Path(__file__).parent
_LOOK_EVERY_S: Final = 0.2
_COUNTED_S: Final = 300.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used so far, its threads' together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def pss_mib(pid: int) -> float:
    """Return a process's share of memory: what it has alone, and its part of what is shared."""
    said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", said, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


class Pace(msgspec.Struct, frozen=True):
    """Events per second of a process's CPU, and of the clock on the wall."""

    cpu: float
    wall: float


async def pace_between(service: ServiceProcess, counter: str, events: int) -> Pace:
    """Wait until a service has counted `events`; return its pace, the first tenth left out."""
    first = await _counted(service, counter, events / 10)
    last = await _counted(service, counter, events)
    done = last[0] - first[0]
    return Pace(done / (last[1] - first[1]), done / (last[2] - first[2]))


async def _counted(
    service: ServiceProcess, counter: str, at_least: float
) -> tuple[float, float, float]:
    """Return how many there were by when, once there are enough: count, CPU, wall."""
    async with asyncio.timeout(_COUNTED_S):
        while (count := await metric(service, counter)) < at_least:
            await asyncio.sleep(_LOOK_EVERY_S)
    return count, cpu_s(service.pid), time.monotonic()


async def metric(service: ServiceProcess, name: str) -> float:
    """Return a service's metric, the sum over its labels unless `name` has them."""
    return total((await service.answer("/metrics")).text, name)


def total(metrics: str, name: str) -> float:
    """Return a metric in what a service answered, summed like `metric` does."""
    pattern = rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$"
    return sum(float(found) for found in re.findall(pattern, metrics, re.MULTILINE))


class Reference:
    """A program of this folder that does one task a line, and answers each with a line of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, task: Mapping[str, Any], timeout_s: float = 300.0) -> Any:
        """Give it a task and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        async with asyncio.timeout(timeout_s):
            answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the reference ended; its own words are in var/log")
        return msgspec.json.decode(answer)


@asynccontextmanager
async def reference(name: str, python: Path | str = PYTHON) -> AsyncIterator[Reference]:
    """Run `reference_<name>.py` while the block runs."""
    log = Path("var/log")
    log.mkdir(parents=True, exist_ok=True)
    with (log / f"bench-{name}.log").open("w") as errors:
        process = await asyncio.create_subprocess_exec(
            str(python),
            str(_HERE / f"reference_{name}.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield Reference(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
