"""A service's life as a process: its settings, its end, what it says and returns."""

import asyncio
import contextlib
import os
import signal
import socket
import sys

import httpx
import pytest

from foreshock_kit.testing import eventually

SOURCE = '''
import asyncio, sys
from foreshock_kit.errors import Transient
from foreshock_kit.service import Service, main
from foreshock_kit.environment import Secret
from foreshock_kit.settings import ServiceSettings

class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Settings."""
    mode: str = "good"
    password: Secret = Secret("hidden")
    number: int

async def run(settings, context):
    context.ready("work")
    if settings.mode == "crash":
        raise RuntimeError("a bug")
    if settings.mode == "transient":
        raise Transient("the broker is gone")
    await context.stop.wait()
    if settings.mode == "slow":
        await asyncio.sleep(60)

sys.exit(main(Service("example", Settings, run)))
'''


@pytest.fixture
def start(tmp_path):
    (tmp_path / "example.py").write_text(SOURCE)

    @contextlib.asynccontextmanager
    async def starting(*words, **told):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(tmp_path / "example.py"),
            *words,
            env={"PATH": os.environ["PATH"], "LOG_FORMAT": "json"} | told,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return starting


async def outcome(process):
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_wrong_settings_are_listed_and_end_with_78(start):
    async with start(HEALTH_PORT="many", LOG_LEVEL="LOUD") as process:
        code, _, err = await outcome(process)
    assert code == 78
    assert [line.split()[:2] for line in err.splitlines()] == [
        ["example:", "LOG_LEVEL"],
        ["example:", "HEALTH_PORT"],
        ["example:", "NUMBER"],
    ]


@pytest.mark.parametrize(("number", "ended"), [("1", 0), ("one", 78)])
async def test_settings_can_be_checked_and_nothing_started(start, tmp_path, number, ended):
    file = tmp_path / "health"
    async with start("--check", NUMBER=number, HEALTH_FILE=str(file)) as process:
        code, out, err = await outcome(process)
    assert (code, file.exists()) == (ended, False)
    assert {"NUMBER", "HEALTH_FILE", "KAFKA_SASL_PASSWORD_FILE"} <= set(out.splitlines())
    assert ("NUMBER is wrong" in err) == (ended == 78)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--replay", "1", "2", "file"), "this service has nothing to replay"),
        (("--replay", "1", "2"), "expected 3 arguments"),
        (("--repeat",), "unrecognized arguments: --repeat"),
    ],
)
async def test_words_that_cannot_be_followed_end_with_2(start, words, said):
    async with start(*words, NUMBER="1") as process:
        code, _, err = await outcome(process)
    assert code == 2
    assert said in err


REPLAYING = """
import sys
import msgspec
from foreshock_kit.service import Service, main
from foreshock_kit.settings import ServiceSettings

async def run(settings, context):
    raise AssertionError("it was told to replay")

async def replay(settings, context, order):
    order.file.write_bytes(msgspec.json.encode([order.from_ms, order.to_ms, order.what_if]))

sys.exit(main(Service("example", ServiceSettings, run, replay)))
"""


async def test_a_replay_is_handed_its_time_its_file_and_what_if(start, tmp_path):
    (tmp_path / "example.py").write_text(REPLAYING)
    file = tmp_path / "lines"
    async with start("--replay", "1000", "2000", str(file), "--settings", '{"a": 1}') as process:
        code, _, _ = await outcome(process)
    assert (code, file.read_text()) == (0, '[1000,2000,"{\\"a\\": 1}"]')


ENDLESS = """
import asyncio, sys
from foreshock_kit.service import Service, main
from foreshock_kit.settings import ServiceSettings

async def run(settings, context):
    raise AssertionError("it was told to replay")

async def replay(settings, context, order):
    with order.writing() as file:
        file.write(b"half")
        file.flush()
        await asyncio.Event().wait()

sys.exit(main(Service("example", ServiceSettings, run, replay)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_replay_ends_when_told_and_leaves_no_half_of_its_file(start, tmp_path, number):
    (tmp_path / "example.py").write_text(ENDLESS)
    file = tmp_path / "lines"
    file.write_text("of before")
    async with start("--replay", "1000", "2000", str(file)) as process:
        await eventually((tmp_path / "lines.partial").exists, 20)
        process.send_signal(number)
        code, _, err = await outcome(process)
    assert code == 1
    assert "told to stop before the end" in err
    assert file.read_text() == "of before"
    assert not (tmp_path / "lines.partial").exists()


async def test_a_replay_takes_nothing_s_place_that_is_no_plain_file(start, tmp_path):
    (tmp_path / "example.py").write_text(ENDLESS)
    async with start("--replay", "1000", "2000", str(tmp_path)) as process:
        code, _, err = await outcome(process)
    assert code == 1
    assert f"{tmp_path} is no plain file" in err


async def test_times_of_a_replay_are_numbers(start, tmp_path):
    (tmp_path / "example.py").write_text(REPLAYING)
    async with start("--replay", "2h", "now", "file") as process:
        code, _, err = await outcome(process)
    assert code == 2
    assert "milliseconds since 1970" in err


async def test_help_lists_every_setting_and_no_secret(start):
    async with start("--help") as process:
        code, out, _ = await outcome(process)
    assert code == 0
    assert "KAFKA_BOOTSTRAP_SERVERS" in out
    assert "a whole number (required)" in out
    assert "hidden" not in out


async def test_a_service_announces_itself_serves_health_and_stops_cleanly(start, tmp_path):
    file = tmp_path / "health"
    async with start(NUMBER="1", HEALTH_FILE=str(file)) as process:
        await eventually(file.exists, 20)
        async with httpx.AsyncClient(base_url=file.read_text()) as client:
            assert (await client.get("/readyz")).status_code == 200
        process.send_signal(signal.SIGTERM)
        code, _, err = await outcome(process)
    assert code == 0
    assert "service_stopped" in err


@pytest.mark.parametrize(
    ("mode", "said"), [("crash", "RuntimeError: a bug"), ("transient", "the broker is gone")]
)
async def test_a_failure_ends_with_1_and_says_which(start, mode, said):
    async with start(NUMBER="1", MODE=mode) as process:
        code, _, err = await outcome(process)
    assert code == 1
    assert said in err


async def test_an_end_that_takes_too_long_is_cut_off(start, tmp_path):
    file = tmp_path / "health"
    async with start(NUMBER="1", MODE="slow", GRACE_S="0.2", HEALTH_FILE=str(file)) as process:
        await eventually(file.exists, 20)
        process.send_signal(signal.SIGINT)
        code, _, err = await outcome(process)
    assert code == 1
    assert "DrainTimeout" in err


async def test_a_taken_port_is_named_with_who_has_it(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with start(NUMBER="1", HEALTH_PORT=str(port)) as process:
            code, _, err = await outcome(process)
    assert code == 1
    assert f"port {port} is in use by" in err
    assert f"(pid {os.getpid()})" in err


WAITING = """
import sys
from foreshock_kit.kafka import Publisher
from foreshock_kit.service import Service, main
from foreshock_kit.settings import ServiceSettings

async def run(settings, context):
    async with Publisher(settings, context.name, context.clock, stop=context.stop):
        raise AssertionError("there is no broker")

sys.exit(main(Service("example", ServiceSettings, run)))
"""


async def test_an_unreachable_broker_is_waited_for_and_a_stop_is_obeyed(
    start, tmp_path, unused_port
):
    (tmp_path / "example.py").write_text(WAITING)
    async with start(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_port}") as process:
        line = b""
        async with asyncio.timeout(20):
            while b"kafka_not_ready" not in line:
                line = await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        code, _, err = await outcome(process)
    assert code == 0
    assert "service_stopped" in err
