"""Child processes: forked from one server that has imported everything shared."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from foreshock_cli import child
from foreshock_cli.program import Program

_PRELOAD = ["foreshock_cli.preload", "foreshock_cli.child"]


class Forker:
    """Starts programs. Holds the one end of every lifeline."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOAD)

    def warm(self) -> None:
        """Let the fork server begin its imports, without waiting for them.

        What ends all processes of a terminal or a group is for us: the fork server, without
        which nobody hears of its children any more, is deaf to it, and ends when we do.
        """
        resource_tracker.ensure_running()  # which would let those through that we hold back
        before = signal.pthread_sigmask(signal.SIG_BLOCK, child.ENDING)
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    async def start(self, program: Program) -> "Running":
        """Start a process, as soon as the fork server has its imports (about a second).

        What is started although the caller has been cancelled meanwhile is stopped again.
        """
        if program.announces is not None:
            program.announces.unlink(missing_ok=True)
        self.warm()
        starting = asyncio.ensure_future(asyncio.to_thread(self._start, program))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            unwanted = await starting
            await unwanted.stop()
            unwanted.close()
            raise

    def _start(self, program: Program) -> "Running":
        theirs, ours = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=child.run,
            args=(program, theirs),
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

    async def stop(self) -> None:
        """Ask it to end, and kill it if it takes too long."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.program.stop_s):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """End it at once, even if it hangs."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of an ended process."""
        self._lifeline.close()
        self._process.close()

    def _signal(self, number: int) -> None:
        if not self.ended:  # else the id may be a stranger's by now
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
