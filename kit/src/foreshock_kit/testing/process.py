"""A service as the operating system sees it: a process that can be stopped, frozen and killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import httpx

from foreshock_kit.processes import spawn
from foreshock_kit.testing.waiting import eventually

_STOP_S: Final = 20.0


def bare_environment() -> dict[str, str]:
    """Return an environment that tells a service nothing, whatever ours would tell it."""
    return {"PATH": os.environ["PATH"]}


class ServiceProcess:
    """Runs `python -m <module>`; its log and health address are files in `folder`.

    As an async context manager it starts, and at the end stops, the process.
    """

    def __init__(self, module: str, folder: Path, env: Mapping[str, str]) -> None:
        self._module = module
        self.log = folder / "log"
        self._health = folder / "health"
        self._env = {"LOG_FORMAT": "text", **env, "HEALTH_FILE": str(self._health)}
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The process that was started last."""
        if self._process is None:
            raise ProcessLookupError(f"{self._module} was not started")
        return self._process.pid

    async def start(self) -> None:
        """Start it, after an end also again."""
        self._health.unlink(missing_ok=True)
        env = bare_environment() | self._env
        self._process = await spawn(sys.executable, "-m", self._module, log=self.log, env=env)

    async def until_ready(self, timeout_s: float = 30.0) -> None:
        """Wait until it says that it is ready.

        Raises:
            AssertionError: It does not within the time, or has ended; with its log's end.
        """
        try:
            await eventually(self._is_ready, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{self._module} is not ready: {self.said()}") from error

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP or SIGCONT."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """Ask it to end, if it has not; return its exit code."""
        if self._process is not None and self._process.returncode is None:
            self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end; return its exit code."""
        async with asyncio.timeout(_STOP_S):
            return await self._process.wait() if self._process is not None else 0

    def said(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-2_000:]

    async def answer(self, path: str) -> httpx.Response:
        """Ask its health server for a path, once that listens."""
        await eventually(self._health.exists)
        async with httpx.AsyncClient(base_url=self._health.read_text(), timeout=2) as http:
            return await http.get(path)

    async def _is_ready(self) -> bool:
        if self._process is not None and self._process.returncode is not None:
            raise AssertionError(f"{self._module} ended: {self.said()}")
        try:
            return (await self.answer("/readyz")).is_success
        except httpx.TransportError:
            return False
