"""A service's life: settings, logs, health, work, and a clean end within its grace period."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec
import uvloop

from foreshock_kit import logs
from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.environment import describe, load, names
from foreshock_kit.errors import (
    CutShort,
    DrainTimeout,
    ForeshockError,
    SettingsInvalid,
    Stopped,
    leaves,
)
from foreshock_kit.health import Health
from foreshock_kit.http_server import serve
from foreshock_kit.metrics import LOOP_LAG
from foreshock_kit.settings import ServiceSettings

WRONG_SETTINGS: Final = 78
"""The exit code for settings that are missing or wrong (EX_CONFIG of sysexits.h)."""

_REPLAY: Final = ("FROM_MS", "TO_MS", "FILE")
_LAG_EVERY_S: Final = 1.0
_YOUNG: Final = 10_000
"""New objects that the collector waits for; with 700 it took up to a sixth of a detector's time."""

S = TypeVar("S", bound=ServiceSettings)

log = logs.get_logger(__name__)


class Context:
    """What a running service is given: its name, when to stop, the time, its readiness."""

    def __init__(
        self, name: str, stop: asyncio.Event | None = None, clock: Clock | None = None
    ) -> None:
        self.name = name
        self.stop = stop or asyncio.Event()
        self.clock = clock or SystemClock()
        self.health = Health()

    def ready(self, part: str, *, ok: bool = True, why: str = "") -> None:
        """Say how one part of the service's readiness is."""
        self.health.set(part, ok=ok, why=why)


class Replay(msgspec.Struct, frozen=True):
    """What is to be concluded once more: of what was received from `from_ms` to before `to_ms`.

    `file` takes the conclusions, a JSON object a line. `what_if`, a JSON object, is told instead
    of the settings that were in force.
    """

    from_ms: int
    to_ms: int
    file: Path
    what_if: str | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Open the file, which takes its place only once all is written.

        Raises:
            SettingsInvalid: there is something else in its place, as a device or a folder.
        """
        if self.file.exists() and not self.file.is_file():
            raise SettingsInvalid((f"{self.file} is no plain file",))
        whole = self.file.resolve()
        partial = whole.with_name(f"{whole.name}.partial")
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(whole)
        finally:
            partial.unlink(missing_ok=True)


class Service(NamedTuple, Generic[S]):
    """A service: its name, its settings, and what it does until `context.stop` is set.

    `replay` concludes once more what `run` did, and publishes nothing; it is cancelled when it
    is told to stop.
    """

    name: str
    settings: type[S]
    run: Callable[[S, Context], Awaitable[None]]
    replay: Callable[[S, Context, Replay], Awaitable[None]] | None = None


def main(service: Service[S], argv: Sequence[str] | None = None) -> int:
    """Run a service until SIGTERM or SIGINT; return its exit code.

    0 after a clean stop, 78 if the settings are wrong, 2 if its words are, 1 for anything else.
    With `--check` it only says the settings' names, a line each, and what is wrong with them; with
    `--replay` it replays.
    """
    words = _words(service, argv)
    if words.help:
        sys.stdout.write(usage(service))
        return 0
    if words.check:
        sys.stdout.write("".join(f"{name}\n" for name in names(service.settings)))
    try:
        settings = load(service.settings, os.environ)
    except SettingsInvalid as e:
        for problem in e.problems:
            sys.stderr.write(f"{service.name}: {problem}\n")
        return WRONG_SETTINGS
    if words.check:
        return 0
    logs.configure(service.name, settings.log_level, settings.log_format)
    gc.freeze()  # what imports left is no garbage
    gc.set_threshold(_YOUNG)
    failures = _run(service, settings, words.replay)
    for failure in failures:
        if isinstance(failure, ForeshockError):
            log.error("service_failed", error=type(failure).__name__, why=str(failure))
        else:
            log.critical("service_crashed", exc_info=failure)
    log.info("service_stopped")
    return int(bool(failures))


def _words(service: Service[S], argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says; exits with 2 where it cannot be understood."""
    parser = argparse.ArgumentParser(service.name, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--replay", nargs=3, metavar=_REPLAY)
    parser.add_argument("--settings", metavar="JSON")
    words = parser.parse_args(argv)
    if words.replay is not None:
        if service.replay is None:
            parser.error("this service has nothing to replay")
        from_ms, to_ms, file = words.replay
        if not (from_ms.isdecimal() and to_ms.isdecimal()):
            parser.error(f"{from_ms} to {to_ms}: times are milliseconds since 1970 UTC")
        words.replay = Replay(int(from_ms), int(to_ms), Path(file), words.settings)
    return words


def _run(service: Service[S], settings: S, order: Replay | None) -> list[BaseException]:
    problems: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                _serve(service, settings) if order is None else _replay(service, settings, order)
            )
    except* Exception as group:  # noqa: BLE001
        problems = leaves(group)
    return problems


def usage(service: Service[S]) -> str:
    """Return what the service can be told, a setting a line."""
    hints = get_type_hints(service.settings, include_extras=True)
    lines = [f"{service.name}: settings come from the environment; --check only checks them."]
    if service.replay is not None:
        lines.append(
            f"--replay {' '.join(_REPLAY)} [--settings JSON] writes what follows from that time."
        )
    lines.append("")
    for field in msgspec.structs.fields(service.settings):
        default = "required" if field.required else f"default {_shown(field.default)}"
        lines.append(f"  {field.name.upper():28} {describe(hints[field.name])} ({default})")
    return "\n".join([*lines, ""])


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "none"
    return "none" if default is None else str(default)


async def _serve(service: Service[S], settings: S) -> None:
    context = _context(service.name)
    async with serve(settings.health_host, settings.health_port, context.health.routes()) as server:
        log.info("health_listening", port=server.port)
        if settings.health_file:
            _announce(Path(settings.health_file), server.url)
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(_watch_loop(context)),
                group.create_task(_bound_the_end(context, settings.grace_s)),
            ]
            with contextlib.suppress(Stopped):
                await service.run(settings, context)
            for helper in helpers:
                helper.cancel()


def _context(name: str) -> Context:
    """Return a context that a signal stops."""
    context = Context(name)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, context.stop.set)
    return context


async def _replay(service: Service[S], settings: S, order: Replay) -> None:
    if service.replay is None:
        return
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_cut_short(_context(service.name)))
        await service.replay(settings, Context(service.name), order)
        watching.cancel()


async def _cut_short(context: Context) -> None:
    await context.stop.wait()
    raise CutShort(f"{context.name} was told to stop before the end: nothing was written")


async def _bound_the_end(context: Context, grace_s: float) -> None:
    await context.stop.wait()
    log.info("service_stopping", grace_s=grace_s)
    await asyncio.sleep(grace_s)
    raise DrainTimeout(f"{context.name} has not stopped within {grace_s:g} s")


async def _watch_loop(context: Context) -> None:
    while True:
        before = context.clock.monotonic()
        await asyncio.sleep(_LAG_EVERY_S)
        LOOP_LAG.set(max(0.0, context.clock.monotonic() - before - _LAG_EVERY_S))


def _announce(file: Path, url: str) -> None:
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(url)
    fresh.replace(file)
