"""`foreshock up` as a process: what it says of itself, and what it leaves."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from foreshock_cli.endpoints import Endpoints
from foreshock_kit.http_server import holder_of
from foreshock_kit.testing import eventually
from foreshock_kit.testing.process import bare_environment

pytestmark = pytest.mark.broker


class Up:
    """A process in a folder and a group of its own."""

    def __init__(self, folder, process):
        self.run = folder / "var" / "run"
        self.process = process

    @property
    def endpoints(self):
        file = self.run / "endpoints.json"
        return msgspec.json.decode(file.read_bytes(), type=Endpoints) if file.exists() else None

    def imports_begun(self):
        """Whether the first compiled library is being loaded: Python itself is up by then."""
        return "/site-packages/" in Path(f"/proc/{self.process.pid}/maps").read_text()

    def is_starting(self):
        return (self.run / "lock").exists()

    def is_ready(self):
        return self.endpoints is not None

    async def ended(self):
        async with asyncio.timeout(30):
            said, _ = await self.process.communicate()
        return self.process.returncode, said.decode()


def _heed_signals():
    """Undo what a shell's background (SIGINT) and nohup (SIGHUP) have set to be ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@asynccontextmanager
async def up(folder, *words, **told):
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("foreshock")),
        *("up", *words),
        cwd=folder,
        env=bare_environment() | told,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_heed_signals,
    )
    try:
        yield Up(folder, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_wrong_settings_of_all_and_of_one_are_told_once(tmp_path):
    async with up(tmp_path, LOG_LEVEL="LOUD", TELEGRAM_TIMEOUT_S="0") as stack:
        code, said = await stack.ended()
    assert code == 78
    (level,) = [line for line in said.splitlines() if "LOG_LEVEL is wrong" in line]
    (timeout,) = [line for line in said.splitlines() if "TELEGRAM_TIMEOUT_S is wrong" in line]
    assert level.endswith("(all services)")
    assert timeout.endswith("(telegram-gateway)")
    assert not (tmp_path / "var" / "broker").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["imports_begun", "is_starting", "is_ready"])
async def test_what_ends_the_whole_group_is_a_clean_stop(tmp_path, number, moment):
    async with up(tmp_path, "--only", "oi-poller") as stack:
        await eventually(getattr(stack, moment), 30)
        os.killpg(stack.process.pid, number)
        code, said = await stack.ended()
    assert code in ({0} if moment == "is_ready" else {0, 130, -signal.SIGTERM, -signal.SIGHUP})
    assert "ended" not in said
    assert "Traceback" not in said
    assert not stack.run.exists() or [file.name for file in stack.run.iterdir()] == ["lock"]


async def test_what_a_killed_one_has_left_is_removed_by_the_next(tmp_path):
    broker = tmp_path / "var" / "broker"
    async with up(tmp_path, "--only", "oi-poller") as stack:
        await eventually(stack.is_ready, 30)
        stack.process.kill()
        await stack.ended()
    (left,) = broker.iterdir()
    async with up(tmp_path, "--only", "oi-poller") as stack:
        await eventually(lambda: not left.exists(), 30)
        os.killpg(stack.process.pid, signal.SIGTERM)
        await stack.ended()
    assert not broker.exists() or list(broker.iterdir()) == []


async def test_the_brokers_death_ends_it_and_is_told(tmp_path):
    async with up(tmp_path, "--only", "oi-poller") as stack:
        await eventually(lambda: stack.endpoints, 30)
        holder = holder_of(int(stack.endpoints.kafka.rpartition(":")[2]))
        os.kill(int(holder.rpartition(" ")[2].rstrip(")")), signal.SIGKILL)
        code, said = await stack.ended()
    assert code == 1
    assert "the embedded broker has died (signal 9)" in said
    assert [file.name for file in stack.run.iterdir()] == ["lock"]
