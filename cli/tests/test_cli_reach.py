"""Whether exchanges answer from here: what `foreshock doctor` and `foreshock up` say of it."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

import pytest
from aiohttp import web

from foreshock_cli import reach
from foreshock_cli.endpoints import Endpoints
from foreshock_cli.main import main
from foreshock_cli.reach import ask, hosts_of
from foreshock_kit.errors import SettingsInvalid

NOWHERE = "http://127.0.0.1:9"


@asynccontextmanager
async def host(status=200, body="{}", ahead_s=0.0, silent=False, **headers):
    asked = []

    async def answer(request):
        asked.append(request.path)
        if silent:
            await asyncio.Event().wait()
        at = datetime.now(UTC) + timedelta(seconds=ahead_s)
        dated = {"date": format_datetime(at, usegmt=True)}
        return web.Response(status=status, text=body, headers=dated | headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def told(name="binance", **answers):
    async with host(**answers) as (url, asked):
        problem = (await ask({name: url}))[name]
    assert len(asked) == 1
    return problem


@pytest.mark.parametrize("name", ["binance", "hyperliquid", "okx", "dydx"])
async def test_one_that_answers_is_asked_once_and_has_no_problem(name):
    assert await told(name) is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 451}, "restricted here"),
        ({"status": 403, "body": "not available in your country"}, "EXCHANGE_REST_URLS"),
        ({"status": 429, "retry-after": "30"}, "leave it alone for 30 s"),
        ({"status": 502}, "answered 502"),
        ({"ahead_s": 9}, "ours is behind"),
        ({"ahead_s": -9}, "ours is ahead"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_do(answer, said):
    assert said in await told(**answer)


async def test_silent_ones_hold_up_neither_the_others_nor_us(monkeypatch):
    monkeypatch.setattr(reach, "_PATIENCE_S", 0.3)
    async with host(silent=True) as (silent, _), host() as (well, _):
        found = await ask({"binance": silent, "bybit": silent, "okx": well, "gate": NOWHERE})
    assert found.pop("okx") is None
    assert all(problem.startswith("no answer from http") for problem in found.values())


def test_the_environment_names_exchanges_and_other_hosts():
    env = {"EXCHANGES": "binance,okx", "EXCHANGE_REST_URLS": "okx=http://127.0.0.1:1", "X": "y"}
    found = hosts_of(env)
    assert found["okx"] == "http://127.0.0.1:1"
    assert found["binance"].startswith("https://")
    with pytest.raises(SettingsInvalid, match="no exchange mtgox"):
        hosts_of({"EXCHANGES": "mtgox"})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("EXCHANGES", "EXCHANGE_REST_URLS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


async def test_the_doctor_has_a_line_for_each_exchange(here, capsys):
    async with host() as (well, _), host(status=451) as (closed, _):
        here.setenv("EXCHANGES", "binance,okx")
        here.setenv("EXCHANGE_REST_URLS", f"binance={well},okx={closed}")
        assert await asyncio.to_thread(main, ["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✓ binance is reachable" in said
    assert "✗ okx cannot be used" in said
    assert "restricted here" in said


def test_the_doctor_names_an_exchange_that_there_is_not(here, capsys):
    here.setenv("EXCHANGES", "mtgox")
    assert main(["doctor"]) == 1
    assert "no exchange mtgox" in capsys.readouterr().out


class Ready:
    """A stack that is ready at once, and goes on until it is stopped."""

    exchanges: ClassVar[dict[str, str]] = {}

    def __init__(self, *_, **__):
        pass

    async def run(self, ready):
        ready(Endpoints(kafka="k", schema_registry="s", services={}, exchanges=Ready.exchanges))
        await asyncio.Event().wait()


@pytest.mark.parametrize(("one_answers", "says"), [(False, True), (True, False)])
async def test_up_says_after_its_banner_that_no_exchange_answers(here, capsys, one_answers, says):
    async with host() as (well, _):
        exchanges = {"binance": NOWHERE, "okx": well if one_answers else NOWHERE}
        here.setattr(Ready, "exchanges", exchanges)
        here.setattr("foreshock_cli.up.Stack", Ready)
        here.setattr("foreshock_cli.up.ENDING", ())  # only a main thread has signals
        assert await asyncio.to_thread(main, ["up", "--for", "1"]) == 0
    said = capsys.readouterr().err
    assert ("no exchange answers here" in said) is says
    assert ("binance: no answer from http://127.0.0.1:9" in said) is says
