import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from foreshock_kit.broker import BrokerDied, embedded_broker, watched_broker
from foreshock_kit.errors import PortInUse
from foreshock_kit.http_server import holder_of
from foreshock_kit.testing import eventually

pytestmark = pytest.mark.broker

HOLDS_A_BROKER = """
import asyncio, signal, sys
from pathlib import Path
from foreshock_kit.broker import embedded_broker

async def main():
    async with embedded_broker(Path(sys.argv[1])) as address:
        print(address, file=sys.__stdout__, flush=True)
        await asyncio.Event().wait()

# Whoever runs these tests in a shell's background has SIGINT ignored, and so would we
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


def takes_connections(address: str) -> bool:
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


async def test_it_listens_on_loopback_and_leaves_nothing_behind(tmp_path: Path):
    async with embedded_broker(tmp_path) as address:
        assert address.startswith("127.0.0.1:")
        assert takes_connections(address)
    assert not takes_connections(address)
    assert list(tmp_path.iterdir()) == []


async def test_two_of_them_do_not_meet(tmp_path: Path):
    async with embedded_broker(tmp_path) as one, embedded_broker(tmp_path) as other:
        assert one != other


async def test_a_taken_port_is_refused(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"{port} is in use by .*\(pid {os.getpid()}\)"):
            async with embedded_broker(tmp_path, port):
                pass


async def test_its_death_is_told_with_its_cause(tmp_path: Path):
    async with watched_broker(tmp_path) as broker:
        name_and_pid = holder_of(int(broker.address.rpartition(":")[2]))
        os.kill(int(name_and_pid.rpartition(" ")[2].rstrip(")")), signal.SIGKILL)
        async with asyncio.timeout(10):
            with pytest.raises(BrokerDied, match="signal 9"):
                await broker.died()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_it_dies_with_its_parent(tmp_path: Path, how: signal.Signals):
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLDS_A_BROKER,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(20):
        address = ""
        while not address.startswith("127.0.0.1:"):
            address = (await parent.stdout.readline()).decode().strip()
        assert takes_connections(address)
        parent.send_signal(how)
        await parent.wait()
        await eventually(lambda: not takes_connections(address))
