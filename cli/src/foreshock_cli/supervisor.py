"""Keeps programs running: restarts what ends or hangs, and says what keeps failing."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from foreshock_cli.processes import Forker, Running
from foreshock_cli.program import Program
from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import Clock
from foreshock_kit.service import WRONG_SETTINGS


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How restarts slow down, until a run has lasted `healthy_after_s`, and what counts as hung.

    A program is asked every `ask_every_s`; `unanswered` times in a row are too many.
    """

    backoff: Backoff = Backoff(first_s=0.2, longest_s=30.0)
    healthy_after_s: float = 60.0
    failing_after: int = 4
    ask_every_s: float = 5.0
    unanswered: int = 6


class Supervised:
    """One program, and the process that runs it just now; `lives` says whether it hangs."""

    def __init__(
        self,
        program: Program,
        forker: Forker,
        report: Callable[[str], None],
        clock: Clock,
        lives: Callable[[Program], Awaitable[bool]] | None = None,
    ) -> None:
        self.program = program
        self.running: Running | None = None
        self.gave_up = False
        self._lives = lives
        self._forker = forker
        self._report = report
        self._clock = clock

    @property
    def pid(self) -> int | None:
        """The process id, while one runs."""
        return self.running.pid if self.running else None

    async def keep(self, patience: Patience, changed: Callable[[], None]) -> None:
        """Run the program until cancelled, then stop it; `changed` is called at each start."""
        failures = 0
        while True:
            started = self._clock.monotonic()
            code = await self._run_once(patience, changed)
            lasted = self._clock.monotonic() - started
            failures = 1 if lasted >= patience.healthy_after_s else failures + 1
            self._tell(code, lasted, failures, patience)
            if code == WRONG_SETTINGS:  # starting it again cannot help
                self.gave_up = True
                return
            await asyncio.sleep(patience.backoff.delay(failures))

    async def _run_once(self, patience: Patience, changed: Callable[[], None]) -> int:
        running = self.running = await self._forker.start(self.program)
        try:
            changed()
            return await self._until_ended(running, patience)
        except asyncio.CancelledError:
            await running.stop()
            raise
        finally:
            self.running = None
            running.close()

    async def _until_ended(self, running: Running, patience: Patience) -> int:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._kill_if_hung(running, patience))
            code = await running.wait()
            watching.cancel()
        return code

    async def _kill_if_hung(self, running: Running, patience: Patience) -> None:
        if self._lives is None:
            return
        missed, name = 0, self.program.name
        while missed < patience.unanswered:
            await asyncio.sleep(patience.ask_every_s)
            missed = 0 if await self._lives(self.program) else missed + 1
            if missed == patience.unanswered // 2:
                self._report(f"{name} does not answer: it is killed if that goes on")
        self._report(f"{name} hangs: killing it")
        running.kill()

    def _tell(self, code: int, lasted: float, failures: int, patience: Patience) -> None:
        name, how = self.program.name, _how_it_ended(code)
        if code == WRONG_SETTINGS:
            self._report(f"{name} cannot start: its settings are wrong.{self._last_words()}")
        elif failures == patience.failing_after:
            self._report(
                f"{name} keeps failing ({how} after {lasted:.0f} s); the others go on, "
                f"and it is tried again every {patience.backoff.longest_s:.0f} s at the latest."
                f"{self._last_words()}"
            )
        elif failures < patience.failing_after:
            self._report(f"{name} {how} after {lasted:.0f} s: starting it again")

    def _last_words(self) -> str:
        log = self.program.log
        if log is None or not log.exists():
            return ""
        lines = log.read_text(errors="replace").splitlines()[-8:]
        return "".join(f"\n    {line}" for line in lines) + f"\n    (from {log})"


def _how_it_ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
