"""The embedded broker: noida-db from PyPI, one small process that lives and dies with us.

It saves asynchronously, ignores compaction and takes one member per group: it is for trying
out and for tests. All that is particular to it is in this module.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final, NoReturn

from foreshock_kit.errors import ForeshockError, Permanent, PortInUse, Transient
from foreshock_kit.http_server import holder_of
from foreshock_kit.logs import get_logger
from foreshock_kit.processes import spawn

HOST: Final = "127.0.0.1"
_PACKAGE: Final = "noida_db"
_START_S: Final = 10.0
_STOP_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.005
_FRUGAL: Final = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""Has glibc give back what a save of all records took (malloc(3)): a quarter of its memory."""

_LISTENING: Final = re.compile(r"^\s*kafka\s+(\S+:\d+)\s*$", re.MULTILINE)

_log = get_logger(__name__)


class BrokerDied(ForeshockError):
    """The embedded broker has ended, and with it all that it held."""


class EmbeddedBroker:
    """A broker that runs; `address` is where clients start from, "127.0.0.1:PORT"."""

    def __init__(self, address: str, process: asyncio.subprocess.Process) -> None:
        self.address = address
        self._process = process

    async def died(self) -> NoReturn:
        """Wait for its end.

        Raises:
            BrokerDied: it has come; it says how.
        """
        code = await self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise BrokerDied(f"the embedded broker has died ({how}), and with it all records")


@asynccontextmanager
async def embedded_broker(data_dir: Path, port: int = 0) -> AsyncIterator[str]:
    """Run a broker as `watched_broker` does, for whoever needs nothing but its address."""
    async with watched_broker(data_dir, port) as broker:
        yield broker.address


@asynccontextmanager
async def watched_broker(data_dir: Path, port: int = 0) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker on loopback in a fresh folder under `data_dir`, and remove both at the end.

    The process has a session of its own, so that Ctrl-C reaches us and not it, and the kernel
    ends it if we die.

    Args:
        data_dir: Where the folder is made.
        port: Where to listen; 0 for any that is free.

    Raises:
        PortInUse: somebody else listens on `port`.
        Permanent: the broker cannot be run here; with its own words.
        Transient: it does not listen within 10 s.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="broker-", dir=data_dir))
    try:
        process = await _spawn(folder, port)
        try:
            yield EmbeddedBroker(await _listening(process, folder, port), process)
        finally:
            await _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _spawn(folder: Path, port: int) -> asyncio.subprocess.Process:
    program = files(_PACKAGE).joinpath("noida-db")
    where = ("--data-dir", str(folder / "data"), "--host", HOST, "--kafka-port", str(port))
    words = (str(program), "start", "--only", "kafka", *where)
    return await spawn(*words, log=folder / "broker.log", env={**os.environ, **_FRUGAL})


async def _listening(process: asyncio.subprocess.Process, folder: Path, port: int) -> str:
    """Wait until the process says where it listens, and takes a connection there."""
    try:
        async with asyncio.timeout(_START_S):
            while (found := _LISTENING.search(_output(folder))) is None:
                if process.returncode is not None:
                    raise _refusal(_output(folder), port)
                await asyncio.sleep(_LOOK_EVERY_S)
            host, _, heard = found[1].rpartition(":")
            _, writer = await asyncio.open_connection(host, int(heard))
    except (TimeoutError, OSError) as error:
        raise Transient(f"the embedded broker does not listen: {_output(folder)}") from error
    writer.close()
    if process.returncode is not None:
        raise _refusal(_output(folder), port)
    _log.info("broker_listening", address=found[1], pid=process.pid)
    return found[1]


def _output(folder: Path) -> str:
    return (folder / "broker.log").read_text(errors="replace")


def _refusal(output: str, port: int) -> Exception:
    if "already in use" in output:
        return PortInUse(port, holder_of(port))
    return Permanent(f"the embedded broker cannot run: {output.strip()}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill: a polite end would first save what is about to be deleted."""
    if process.returncode is None:
        process.kill()
        async with asyncio.timeout(_STOP_S):
            await process.wait()
