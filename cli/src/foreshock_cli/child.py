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

from foreshock_cli.program import Program

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a process to end; the last when its terminal is closed."""

_PR_SET_NAME = 15


def run(program: Program, lifeline: Connection) -> None:
    """Run a program; end it when the other end of `lifeline` closes.

    The supervisor holds that end, so that its children die with it, however it dies. What they
    write is for its owner only.
    """
    os.setsid()
    os.umask(0o077)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    os.environ.clear()
    os.environ.update(program.env)
    _name_process(program.module)
    if program.log is not None:
        _redirect(program.log)
    threading.Thread(
        target=_die_with_supervisor, args=(lifeline, program.stop_s), daemon=True
    ).start()
    sys.argv = [program.module, *program.words]
    try:
        runpy.run_module(program.module, run_name="__main__", alter_sys=True)
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


def _die_with_supervisor(lifeline: Connection, stop_s: float) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(stop_s)
    os._exit(1)
