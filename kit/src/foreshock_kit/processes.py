"""Other programs as children: started apart from our terminal, dead when we are."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


async def spawn(
    *command: str, log: Path, env: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a program whose output goes to the end of the file `log`.

    It has a session of its own, so that Ctrl-C reaches us and not it, and the kernel kills it
    when the thread that called this ends (on Linux).

    Raises:
        OSError: the program cannot be started.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),
        )


def _dying_with(parent: int) -> Callable[[], None]:
    """Return what makes a child, between fork and exec, end when `parent` does (Linux)."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec
