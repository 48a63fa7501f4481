"""One `foreshock up` a folder: a second one would take the first one's files from it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foreshock_kit.errors import ForeshockError


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
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            raise AlreadyRunning(int(stream.read() or 0)) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
