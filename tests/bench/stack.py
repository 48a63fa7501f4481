"""`foreshock up` as a process, looked at from outside."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from bench.measuring import StoodStill, ends, total

from foreshock_kit.testing import eventually
from foreshock_kit.testing.process import bare_environment

_START_S: Final = 120
_STOP_S: Final = 60


class Stack(msgspec.Struct, frozen=True):
    """A running stack: its supervisor's process and what it says of itself."""

    pid: int
    endpoints: dict[str, Any]

    def pids(self) -> dict[str, int]:
        """Return the processes of the services, and of the embedded broker."""
        found = {name: each["pid"] for name, each in self.endpoints["services"].items()}
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            if b"noida-db" in Path(f"/proc/{child}/cmdline").read_bytes():
                found["broker"] = int(child)
        return found

    async def metric(self, service: str, name: str) -> float:
        """Return a metric of a service by its name."""
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.endpoints['services'][service]['health']}/metrics")
        return total(answer.text, name)


@asynccontextmanager
async def stack(folder: Path, env: dict[str, str]) -> AsyncIterator[Stack]:
    """Run everything in `folder` while the block runs; ready when it begins.

    Raises:
        StoodStill: It does not end when told to, and was killed.
    """
    with (folder / "up.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "foreshock_cli", "up"),
            cwd=folder,
            env=bare_environment() | env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    file = folder / "var/run/endpoints.json"
    try:
        await eventually(file.exists, _START_S)
        yield Stack(process.pid, msgspec.json.decode(file.read_bytes()))
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        ended = await ends(process, _STOP_S)
    if not ended:
        raise StoodStill(f"`foreshock up` does not end within {_STOP_S} s")
