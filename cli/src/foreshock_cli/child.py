"""The first lines of a child process: its own session, environment and log, then its module."""

import contextlib
import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

_PR_SET_NAME = 15
_LAST_WORDS_S = 3.0


def run(module: str, env: dict[str, str], log: Path | None, lifeline: Connection) -> None:
    """Run `module` as a program; end it when the other end of `lifeline` closes.

    The supervisor holds that end, so that its children die with it, however it dies.
    """
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    _name_process(module)
    if log is not None:
        _redirect(log)
    threading.Thread(target=_die_with_supervisor, args=(lifeline,), daemon=True).start()
    sys.argv = [module]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _name_process(module: str) -> None:
    if sys.platform == "linux":
        name = module.rpartition(".")[2].replace("_", "-").encode()[:15]
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name, 0, 0, 0)


def _redirect(log: Path) -> None:
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)


def _die_with_supervisor(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS_S)
    os._exit(1)
