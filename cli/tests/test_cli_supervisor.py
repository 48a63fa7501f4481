"""Processes are started, restarted, reported and ended; real ones."""

import asyncio
import os
import signal
from multiprocessing import forkserver
from pathlib import Path

import pytest

from foreshock_cli.checking import Checked, check_settings
from foreshock_cli.processes import Forker
from foreshock_cli.program import Program
from foreshock_cli.supervisor import Patience, Supervised
from foreshock_kit.backoff import Backoff
from foreshock_kit.clock import SystemClock
from foreshock_kit.testing import eventually

QUICK = Patience(backoff=Backoff(first_s=0.01, longest_s=0.05), failing_after=3)
HASTY = Patience(backoff=QUICK.backoff, ask_every_s=0.05, unanswered=4)
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
CHECKED = """
import os, sys
print("LEVEL", "MODE", sep="\\n")
if sys.argv[1:] == ["--check"] and "LEVEL" in os.environ:
    print(f"{os.environ['NAME']}: LEVEL is wrong", file=sys.stderr)
    if "MODE" in os.environ:
        print(f"{os.environ['NAME']}: MODE is wrong", file=sys.stderr)
    sys.exit(78)
"""


@pytest.fixture(scope="module")
def forker():
    return Forker()


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    numbers = iter(range(100))

    def make(source: str, grace_s: float = 0.5, **env: str) -> Program:
        module = f"child_{tmp_path.name.replace('-', '_')}_{next(numbers)}"
        (tmp_path / f"{module}.py").write_text(source)
        env |= {"MARK": str(tmp_path / "mark"), "PATH": os.environ["PATH"]}
        env |= {"GRACE_S": str(grace_s), "NAME": module}
        log = tmp_path / f"{module}.log"
        return Program(name=module, module=module, env=env, log=log, grace_s=grace_s)

    return make


def mark(program: Program) -> list[str]:
    file = Path(program.env["MARK"])
    return file.read_text().split() if file.exists() else []


class Kept:
    def __init__(self, program, forker, patience=QUICK, lives=None):
        self.said = []
        self.starts = 0
        self.patience = patience
        self.supervised = Supervised(program, forker, self.said.append, SystemClock(), lives)

    def started(self):
        self.starts += 1

    async def __aenter__(self):
        self._task = asyncio.ensure_future(self.supervised.keep(self.patience, self.started))
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
        assert Path(made.env["MARK"]).stat().st_mode & 0o777 == 0o600
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


async def test_a_child_has_its_grace_even_if_its_supervisor_dies(program, forker):
    made = program(SLOW, grace_s=3.2)
    running = await forker.start(made)
    await eventually(lambda: len(mark(made)) == 2)
    running._lifeline.close()
    assert await running.wait() == 0
    running.close()
    assert made.log.read_text() == "bye\n"


async def test_what_ends_a_whole_group_leaves_the_fork_server(program, forker):
    running = await forker.start(program(PATIENT))
    await eventually(lambda: len(mark(running.program)) == 2)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(forkserver._forkserver._forkserver_pid, number)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await running.wait()
    await running.stop()
    running.close()
    assert running.program.log.read_text() == "bye\n"


async def test_what_hangs_is_told_killed_and_started_again(program, forker):
    made, asked = program(PATIENT), []

    async def lives(_program):
        asked.append(kept.starts)
        return kept.starts > 1

    async with Kept(made, forker, HASTY, lives) as kept:
        await eventually(lambda: kept.starts == 2)
        await eventually(lambda: asked.count(2) > HASTY.unanswered)
        assert kept.starts == 2
    does_not_answer, hangs, ended = kept.said
    assert "does not answer" in does_not_answer
    assert "hangs" in hangs
    assert "was ended by signal 9" in ended


async def test_an_answer_now_and_then_is_enough(program, forker):
    asked = []

    async def lives(_program):
        asked.append(len(asked))
        return len(asked) % 3 == 0

    async with Kept(program(PATIENT), forker, HASTY, lives) as kept:
        await eventually(lambda: len(asked) > 4 * HASTY.unanswered)
    assert kept.starts == 1


async def test_each_wrong_setting_is_told_once_with_whose_it_is(program, forker, tmp_path):
    one, other = program(CHECKED, LEVEL="x", MODE="y"), program(CHECKED, LEVEL="x")
    checked = await check_settings(forker, [one, other], tmp_path)
    assert checked.problems == (
        "LEVEL is wrong (all services)",
        f"MODE is wrong ({one.name})",
    )
    assert not list(tmp_path.glob("*.check"))


async def test_good_settings_pass(program, forker, tmp_path):
    checked = await check_settings(forker, [program(CHECKED), program(CHECKED)], tmp_path)
    assert checked == Checked(frozenset({"LEVEL", "MODE"}), ())


async def test_a_service_that_cannot_even_check_is_named_and_leaves_the_names_unknown(
    program, forker, tmp_path
):
    failing = program(FAILING)
    checked = await check_settings(forker, [program(CHECKED), failing], tmp_path)
    assert checked == Checked(
        frozenset(), (f"{failing.name} could not check its settings (exit code 3)",)
    )


async def test_a_service_that_checks_for_ever_is_ended_and_named(
    program, forker, tmp_path, monkeypatch
):
    monkeypatch.setattr("foreshock_cli.checking._LONGEST_S", 0.5)
    patient = program(PATIENT)
    checked = await check_settings(forker, [patient], tmp_path)
    (problem,) = checked.problems
    assert problem.startswith(f"{patient.name} could not check its settings")


async def test_a_start_that_is_cancelled_leaves_no_process(program, forker):
    made = program(PATIENT)
    starting = asyncio.ensure_future(forker.start(made))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    if found := mark(made):
        with pytest.raises(ProcessLookupError):
            os.kill(int(found[0]), 0)


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
        assert kept.supervised.gave_up
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

    async def stop(self):
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
