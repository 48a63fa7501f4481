"""The fakes as processes: what they say when they cannot start."""

import asyncio
import os
import socket
import sys

import pytest

MARKET, TELEGRAM = "foreshock_simulator", "foreshock_simulator.telegram"


async def outcome(module, **told):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module),
        env={"PATH": os.environ["PATH"]} | told,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    return process.returncode, err.decode().splitlines()


@pytest.mark.parametrize(
    ("module", "name"),
    [(MARKET, "SIM_BINANCE_PORT"), (MARKET, "SIM_OKX_PORT"), (TELEGRAM, "TELEGRAM_FAKE_PORT")],
)
async def test_a_taken_port_is_named_in_one_line(module, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, (line,) = await outcome(module, **{name: port})
    assert code == 1
    assert port in line


@pytest.mark.parametrize(
    ("module", "name", "field"),
    [
        (MARKET, "SIM_BINANCE_PORT", "binance_port"),
        (MARKET, "SIM_BYBIT_PORT", "bybit_port"),
        (MARKET, "SIM_SCENARIO", "scenario"),
        (MARKET, "SIM_SPEED", "speed"),
        (TELEGRAM, "TELEGRAM_FAKE_PORT", "port"),
    ],
)
async def test_a_wrong_setting_is_named_in_one_line(module, name, field):
    code, (line,) = await outcome(module, **{name: "wrong"})
    assert code == 78
    assert field in line


async def test_a_scenario_that_cannot_be_served_is_answered_with_those_that_can():
    code, (line,) = await outcome(MARKET, SIM_SCENARIO="placebo")
    assert code == 78
    assert "crash" in line
    assert "placebo" not in line
