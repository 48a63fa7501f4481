"""One `foreshock up` a folder: a second one would take the first one's files from it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from foreshock_kit.errors import ForeshockError

_LOOK_S: Final = 0.05


class AlreadyRunning(ForeshockError):
    """Another process holds the lock; `pid` is its."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"already running in this folder: stop process {pid} first")
        self.pid = pid


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold the lock `file` while the block runs; the kernel lets go of it if we die.

    Raises:
        AlreadyRunning: Another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as stream:
        if not _taken(stream, fcntl.LOCK_EX):
            time.sleep(_LOOK_S)  # somebody may only have looked
            if not _taken(stream, fcntl.LOCK_EX):
                stream.seek(0)
                raise AlreadyRunning(int(stream.read() or 0))
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def is_held(file: Path) -> bool:
    """Return whether a process holds the lock `file`."""
    if not file.is_file():  # in a root folder, `var/run/lock` is the system's own
        return False
    with suppress(FileNotFoundError), file.open() as stream:
        return not _taken(stream, fcntl.LOCK_SH)
    return False


def _taken(stream: IO[str], how: int) -> bool:
    try:
        fcntl.flock(stream, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
