"""Child processes: forked from one server that has imported everything shared."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import msgspec

from foreshock_cli import child

_PRELOAD = ["foreshock_cli.preload", "foreshock_cli.child"]


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A module to run as a process, with its whole environment.

    `announces` is a file in which it says where it answers: removed before each start.
    """

    name: str
    module: str
    env: dict[str, str]
    log: Path | None = None
    announces: Path | None = None


class Forker:
    """Starts programs. Holds the one end of every lifeline."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOAD)

    def warm(self) -> None:
        """Let the fork server begin its imports, without waiting for them."""
        forkserver.ensure_running()

    async def start(self, program: Program) -> "Running":
        """Start a process, as soon as the fork server has its imports (about a second)."""
        if program.announces is not None:
            program.announces.unlink(missing_ok=True)
        return await asyncio.to_thread(self._start, program)

    def _start(self, program: Program) -> "Running":
        theirs, ours = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=child.run,
            args=(program.module, program.env, program.log, theirs),
            name=program.name,
        )
        process.start()
        theirs.close()
        return Running(program, process, ours)


class Running:
    """A started process."""

    def __init__(self, program: Program, process: ForkServerProcess, lifeline: Connection) -> None:
        self.program = program
        self._process = process
        self._lifeline = lifeline

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return not self._process.is_alive()

    async def wait(self) -> int:
        """Return its exit code, once it has ended; negative: the signal that ended it."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        await asyncio.to_thread(self._process.join)
        return self._process.exitcode or 0

    async def stop(self, patience_s: float) -> None:
        """Ask it to end, and kill it if it has not after `patience_s`."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience_s):
                await self.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.wait()

    def close(self) -> None:
        """Let go of an ended process."""
        self._lifeline.close()
        self._process.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
