"""Settings are checked before anything is started: by each service's own `--check`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from foreshock_cli.processes import Forker
from foreshock_cli.program import Program
from foreshock_kit.errors import SettingsInvalid
from foreshock_kit.service import WRONG_SETTINGS


async def check_settings(
    forker: Forker, programs: Sequence[Program], folder: Path, others: Sequence[str] = ()
) -> None:
    """Let all services check their settings at once; what they say passes through `folder`.

    `others` are problems that were found elsewhere.

    Raises:
        SettingsInvalid: Some are wrong: each problem once, and whose it is.
    """
    async with asyncio.TaskGroup() as group:
        asked = {
            program.name: group.create_task(_problems(forker, program, folder))
            for program in programs
        }
    whose: dict[str, list[str]] = {}
    for name, task in asked.items():
        for problem in task.result():
            whose.setdefault(problem, []).append(name)
    told = [
        f"{problem} ({'all services' if len(names) == len(asked) else ', '.join(names)})"
        for problem, names in whose.items()
    ]
    if told or others:
        raise SettingsInvalid((*told, *others))


async def _problems(forker: Forker, program: Program, folder: Path) -> list[str]:
    said = folder / f"{program.name}.check"
    running = await forker.start(
        msgspec.structs.replace(program, words=("--check",), log=said, announces=None)
    )
    try:
        code = await running.wait()
    finally:
        await running.stop()
        running.close()
    lines = said.read_text().splitlines() if code == WRONG_SETTINGS else []
    said.unlink(missing_ok=True)
    return [line.removeprefix(f"{program.name}: ") for line in lines]
