"""A service's life: settings, logs, health, work, and a clean end within its grace period."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec
import uvloop

from foreshock_kit import logs
from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.environment import describe, load
from foreshock_kit.errors import DrainTimeout, ForeshockError, SettingsInvalid, Stopped, leaves
from foreshock_kit.health import Health
from foreshock_kit.http_server import serve
from foreshock_kit.metrics import LOOP_LAG
from foreshock_kit.settings import ServiceSettings

WRONG_SETTINGS: Final = 78
"""The exit code for settings that are missing or wrong (EX_CONFIG of sysexits.h)."""

_LAG_EVERY_S: Final = 1.0

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


class Service(NamedTuple, Generic[S]):
    """A service: its name, its settings, and what it does until `context.stop` is set."""

    name: str
    settings: type[S]
    run: Callable[[S, Context], Awaitable[None]]


def main(service: Service[S], argv: Sequence[str] | None = None) -> int:
    """Run a service until SIGTERM or SIGINT; return its exit code.

    0 after a clean stop, 78 if the settings are wrong, 1 for anything else. With `--check` it
    only says what is wrong with the settings.
    """
    words = sys.argv[1:] if argv is None else argv
    if {"-h", "--help"} & set(words):
        sys.stdout.write(usage(service))
        return 0
    try:
        settings = load(service.settings, os.environ)
    except SettingsInvalid as e:
        for problem in e.problems:
            sys.stderr.write(f"{service.name}: {problem}\n")
        return WRONG_SETTINGS
    if "--check" in words:
        return 0
    logs.configure(service.name, settings.log_level, settings.log_format)
    failures = _run(service, settings)
    for failure in failures:
        if isinstance(failure, ForeshockError):
            log.error("service_failed", error=type(failure).__name__, why=str(failure))
        else:
            log.critical("service_crashed", exc_info=failure)
    log.info("service_stopped")
    return int(bool(failures))


def _run(service: Service[S], settings: S) -> list[BaseException]:
    problems: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(service, settings))
    except* Exception as group:  # noqa: BLE001
        problems = leaves(group)
    return problems


def usage(service: Service[S]) -> str:
    """Return what the service can be told, a setting a line."""
    hints = get_type_hints(service.settings, include_extras=True)
    lines = [f"{service.name}: settings come from the environment; --check only checks them.", ""]
    for field in msgspec.structs.fields(service.settings):
        default = "required" if field.required else f"default {_shown(field.default)}"
        lines.append(f"  {field.name.upper():28} {describe(hints[field.name])} ({default})")
    return "\n".join([*lines, ""])


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "none"
    return "none" if default is None else str(default)


async def _serve(service: Service[S], settings: S) -> None:
    context = Context(service.name)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, context.stop.set)
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
