"""Settings are checked before anything is started: by each service's own `--check`."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from foreshock_cli.processes import Forker
from foreshock_cli.program import Program
from foreshock_kit.service import WRONG_SETTINGS

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_LONGEST_S: Final = 30.0


class Checked(msgspec.Struct, frozen=True):
    """The names of all that services can be told, and what is wrong with what they are told.

    There are no names if a service could not say its own. Each problem comes once, with whose it
    is.
    """

    names: frozenset[str]
    problems: tuple[str, ...]


async def check_settings(forker: Forker, programs: Sequence[Program], folder: Path) -> Checked:
    """Let all services check their settings at once; what they say passes through `folder`."""
    async with asyncio.TaskGroup() as group:
        asked = {
            program.name: group.create_task(_said(forker, program, folder)) for program in programs
        }
    whose: dict[str, list[str]] = {}
    names: set[str] = set()
    crashed = []
    for name, task in asked.items():
        code, lines = task.result()
        if code not in {0, WRONG_SETTINGS}:
            crashed.append(f"{name} could not check its settings (exit code {code})")
        for line in lines:
            if line.startswith(own := f"{name}: "):
                whose.setdefault(line.removeprefix(own), []).append(name)
            elif _NAME.fullmatch(line):
                names.add(line)
    wrong = tuple(
        f"{problem} ({'all services' if len(owners) == len(asked) else ', '.join(owners)})"
        for problem, owners in whose.items()
    )
    return Checked(frozenset(() if crashed else names), (*crashed, *wrong))


async def _said(forker: Forker, program: Program, folder: Path) -> tuple[int, list[str]]:
    said = folder / f"{program.name}.check"
    running = await forker.start(
        msgspec.structs.replace(program, words=("--check",), log=said, announces=None)
    )
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_S):
                await running.wait()
    finally:
        running.kill()
        code = await running.wait()
        running.close()
    lines = said.read_text().splitlines()
    said.unlink(missing_ok=True)
    return code, lines
