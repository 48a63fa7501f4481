"""Processes are started, restarted, reported and ended; real ones."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from foreshock_cli.processes import Forker, Program
from foreshock_cli.supervisor import Patience, Supervised
from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import SystemClock
from foreshock_kit.testing import eventually

QUICK = Patience(backoff=Backoff(first_s=0.01, longest_s=0.05), failing_after=3, grace_s=0.5)
PATIENT = """
import os, pathlib, signal, threading
pathlib.Path(os.environ["MARK"]).write_text(f"{os.getpid()} {os.getsid(0)}")
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
stop.wait(60)
print("bye", flush=True)
"""
STUBBORN = PATIENT.replace("lambda *_: stop.set()", "signal.SIG_IGN")
SLOW = PATIENT.replace("print(", "import time; time.sleep(float(os.environ['GRACE_S'])); print(")
FAILING = "import sys\nprint('no good', file=sys.stderr)\nsys.exit(3)\n"
MISTAKEN = "import sys\nsys.exit(78)\n"


@pytest.fixture(scope="module")
def forker():
    return Forker()


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    numbers = iter(range(100))

    def make(source: str) -> Program:
        module = f"child_{tmp_path.name.replace('-', '_')}_{next(numbers)}"
        (tmp_path / f"{module}.py").write_text(source)
        env = {"MARK": str(tmp_path / "mark"), "PATH": os.environ["PATH"]}
        env["GRACE_S"] = str(QUICK.grace_s)
        return Program(name=module, module=module, env=env, log=tmp_path / f"{module}.log")

    return make


def mark(program: Program) -> list[str]:
    file = Path(program.env["MARK"])
    return file.read_text().split() if file.exists() else []


class Kept:
    def __init__(self, program, forker):
        self.said = []
        self.starts = 0
        self.supervised = Supervised(program, forker, self.said.append, SystemClock())

    def started(self):
        self.starts += 1

    async def __aenter__(self):
        self._task = asyncio.ensure_future(self.supervised.keep(QUICK, self.started))
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def done(self):
        return self._task.done()


async def test_a_child_has_its_own_session_and_ends_when_asked(program, forker):
    made = program(PATIENT)
    async with Kept(made, forker) as kept:
        await eventually(lambda: len(mark(made)) == 2)
        pid, session = map(int, mark(made))
        assert pid == session == kept.supervised.pid
    assert kept.supervised.pid is None
    assert made.log.read_text() == "bye\n"


async def test_a_killed_child_is_started_again(program, forker):
    made = program(PATIENT)
    async with Kept(made, forker) as kept:
        await eventually(lambda: len(mark(made)) == 2)
        first = kept.supervised.pid
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: mark(made)[:1] not in ([], [str(first)]))
        assert kept.starts == 2
    assert "was ended by signal 9" in kept.said[0]


async def test_a_child_that_does_not_listen_is_killed(program, forker):
    made = program(STUBBORN)
    async with Kept(made, forker) as kept:
        await eventually(lambda: len(mark(made)) == 2)
        pid = kept.supervised.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_that_takes_its_whole_grace_still_has_its_last_words(program, forker):
    made = program(SLOW)
    async with Kept(made, forker):
        await eventually(lambda: len(mark(made)) == 2)
    assert made.log.read_text() == "bye\n"


async def test_what_keeps_failing_is_reported_once_with_its_last_words(program, forker):
    made = program(FAILING)
    async with Kept(made, forker) as kept:
        await eventually(lambda: kept.starts > 5)
    reports = [line for line in kept.said if "keeps failing" in line]
    assert len(reports) == 1
    assert "exit code 3" in reports[0]
    assert "no good" in reports[0]
    assert len(kept.said) == QUICK.failing_after


async def test_wrong_settings_are_not_tried_again(program, forker):
    async with Kept(program(MISTAKEN), forker) as kept:
        await eventually(lambda: kept.done)
        assert kept.starts == 1
    assert "settings are wrong" in kept.said[0]


async def test_an_old_announcement_is_gone_before_the_start(program, forker, tmp_path):
    announces = tmp_path / "announced"
    announces.write_text("old")
    base = program(FAILING)
    made = Program(name=base.name, module=base.module, env=base.env, announces=announces)
    running = await forker.start(made)
    assert not announces.exists()
    assert await running.wait() == 3
    running.close()


class Hopeless:
    """A forker whose programs end as soon as they are started."""

    pid = 0

    def __init__(self):
        self.starts = 0

    async def start(self, _program):
        self.starts += 1
        return self

    async def wait(self):
        return 3

    async def stop(self, _patience_s):
        pass

    def close(self):
        pass


async def test_what_has_failed_thousands_of_times_is_still_tried():
    forker = Hopeless()
    supervised = Supervised(Program(name="x", module="x", env={}), forker, print, SystemClock())
    patience = Patience(backoff=Backoff(longest_s=0.0))
    task = asyncio.ensure_future(supervised.keep(patience, lambda: None))
    await eventually(lambda: task.done() or forker.starts > 3_000)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
