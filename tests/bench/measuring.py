"""Looking at processes from outside, and references that run in the environment of their own."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from foreshock_kit.testing.process import ServiceProcess

PYTHON: Final = Path(".venv-bench/bin/python")
"""Where cryptofeed and Quix Streams are installed."""

_HERE: Final = Path(__file__).parent
_LOOK_EVERY_S: Final = 0.2
_STILL_S: Final = 60.0
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


class StoodStill(Exception):
    """A count that a benchmark waits for does not grow any more."""


async def ends(process: asyncio.subprocess.Process, within_s: float) -> bool:
    """Wait for a process's end; return False if it did not come in time and was brought about."""
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return True


async def pace_between(service: ServiceProcess, counter: str, events: int) -> Pace:
    """Wait until a service has counted `events`; return its pace, the first tenth left out.

    Raises:
        StoodStill: It counts no more; with what else it counted.
    """
    first = await _counted(service, counter, events / 10)
    last = await _counted(service, counter, events)
    done = last[0] - first[0]
    return Pace(done / (last[1] - first[1]), done / (last[2] - first[2]))


async def _counted(
    service: ServiceProcess, counter: str, at_least: float
) -> tuple[float, float, float]:
    """Return how many there were by when, once there are enough: count, CPU, wall."""
    try:
        count = await reached(lambda: metric(service, counter), at_least, counter)
    except StoodStill as error:
        metrics = (await service.answer("/metrics")).text
        counted = re.findall(r"^\w+_total\S* [1-9].*$", metrics, re.MULTILINE)
        error.add_note("\n".join((*counted, service.said())))
        raise
    return count, cpu_s(service.pid), time.monotonic()


async def reached(
    count: Callable[[], Awaitable[float]], at_least: float, what: str, still_s: float = _STILL_S
) -> float:
    """Wait until a count is high enough; return it.

    Raises:
        StoodStill: It has not grown for `still_s`, a minute.
    """
    highest, grown_s = -1.0, time.monotonic()
    while (now := await count()) < at_least:
        if now > highest:
            highest, grown_s = now, time.monotonic()
        elif time.monotonic() - grown_s > still_s:
            raise StoodStill(f"{what}: {now:,.0f} of {at_least:,.0f}, no more for {still_s:g} s")
        await asyncio.sleep(_LOOK_EVERY_S)
    return now


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
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._process.stdout.readline()
        except TimeoutError:
            raise StoodStill(f"the reference has no answer after {timeout_s:g} s") from None
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
