"""A replay as a process of its service: its arguments, its progress, and how it ends."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from foreshock_cli.comparing import clock_time
from foreshock_cli.connect import environment
from foreshock_cli.plan import module_of
from foreshock_kit.errors import ForeshockError
from foreshock_kit.settings import KafkaSettings

_TOLD: Final = {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
_LINE_BYTES: Final = 2**20
_GRACE_S: Final = 5.0
_EVERY_LINE: Final = {"event", "level", "logger", "service", "timestamp"}


class NoReplay(ForeshockError):
    """A replay could not be done."""


async def conclude(
    service: str,
    settings: KafkaSettings,
    span: tuple[int, int],
    file: Path,
    what_if: dict[str, Any],
) -> list[str]:
    """Run the service until it has written its signals into the file; return its warnings.

    Raises:
        NoReplay: It failed; with what it logged.
    """
    words = ["--replay", *map(str, span), str(file)]
    if what_if:
        words += ["--settings", json.dumps(what_if)]
    env = environment() | _TOLD | {"KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module_of(service), *words),
        env=env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        complaints = await _followed(process, span)
        code = await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)
    if code != 0:
        raise NoReplay("\n".join(complaints) or f"{service} ended with {code}")
    return complaints


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(_GRACE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _followed(process: asyncio.subprocess.Process, span: tuple[int, int]) -> list[str]:
    """Show how far it has come, and return its warnings and errors."""
    complaints = []
    with _progress(span) as progress:
        while process.stderr is not None and (line := await process.stderr.readline()):
            said = _said(line)
            if said.get("event") == "replaying":
                progress(said["at_ms"])
            elif said.get("level") not in {"info", "debug"}:
                complaints.append(_complaint(said))
    return complaints


def _complaint(said: dict[str, Any]) -> str:
    told = said.get("why") or said.get("exception")
    if told:
        return str(told)
    about = (f"{name}={value}" for name, value in said.items() if name not in _EVERY_LINE)
    return " ".join((str(said["event"]), *about))


def _said(line: bytes) -> dict[str, Any]:
    with contextlib.suppress(json.JSONDecodeError):
        said = json.loads(line)
        if isinstance(said, dict):
            return said
    return {"event": line.decode(errors="replace").strip()}


@contextlib.contextmanager
def _progress(span: tuple[int, int]) -> Iterator[Callable[[int], None]]:
    """Show a progress line on stderr, and yield what to call with the time that it has come to."""
    columns = (TextColumn("replaying"), BarColumn(), TextColumn("{task.fields[at]}"))
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("time", total=span[1] - span[0], at="")

        def show(at_ms: int) -> None:
            done = max(0, at_ms - span[0])
            progress.update(task, completed=done, at=clock_time(at_ms))

        yield show
