"""`foreshock doctor`: what is wrong with this installation, and what to do about it."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

import httpx
import msgspec
from rich.console import Console

from foreshock_cli import asking, plan
from foreshock_cli.checking import check_settings
from foreshock_cli.connect import (
    add_broker_argument,
    dotenv_names,
    environment,
    kafka_settings,
    retention_cap,
    running,
)
from foreshock_cli.misspelt import misspelt
from foreshock_cli.processes import Forker
from foreshock_cli.program import Program
from foreshock_cli.reach import ask, hosts_of
from foreshock_kit.admin import topic_problems
from foreshock_kit.bot_token import token_problem
from foreshock_kit.environment import Secret, load
from foreshock_kit.errors import ForeshockError, SettingsInvalid, Transient
from foreshock_schemas import registry

_PATIENCE_S: Final = 5.0
_LONGEST_S: Final = 30.0
_WHICH: Final = (
    "KAFKA_BOOTSTRAP_SERVERS or --kafka says which broker, and `make run` brings its own"
)

Findings = Iterable[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_broker_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check everything, a line each; return 1 if something is wrong."""
    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    for what, findings in asyncio.run(_all(arguments)).items():
        problems = list(findings)
        wrong += bool(problems)
        console.print(f"[green]✓[/green] {what}" if not problems else f"[red]✗[/red] {what}")
        for problem in problems:
            console.print(f"    {problem}", markup=False)
    return int(bool(wrong))


async def _all(arguments: argparse.Namespace) -> dict[str, Findings]:
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(_exchanges())
        checking = {
            what: group.create_task(_checked(check, arguments)) for what, check in _CHECKS.items()
        }
    return {what: task.result() for what, task in checking.items()} | asking.result()


async def _exchanges() -> dict[str, Findings]:
    """Ask those that the running stack follows, else the environment's."""
    try:
        ends, env = running(), environment()
        hosts = ends.exchanges if ends else hosts_of(env) if env.get("EXCHANGES") else {}
    except SettingsInvalid as e:
        return {"exchanges": e.problems}
    found = await ask(hosts)
    return {
        f"{name} {'cannot be used' if problem else 'is reachable'}": [problem] if problem else []
        for name, problem in found.items()
    }


async def _checked(
    check: Callable[[argparse.Namespace], Awaitable[Findings]], arguments: argparse.Namespace
) -> Findings:
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await check(arguments)
    except SettingsInvalid as e:
        return e.problems
    except ForeshockError as e:
        return [str(e)]
    except TimeoutError:
        return ["no answer in time"]


async def _topics(arguments: argparse.Namespace) -> Findings:
    settings = kafka_settings(arguments)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await topic_problems(settings, cap_ms=retention_cap(settings))
    except Transient as e:
        return [f"{e}; {_WHICH}"]
    except TimeoutError:
        servers = settings.kafka_bootstrap_servers
        return [f"no broker answers at {servers} (nothing in {_PATIENCE_S:g} s); {_WHICH}"]


async def _settings(_: argparse.Namespace) -> Findings:
    """Let each service check what the environment tells it."""
    told = plan.make(environment())
    with tempfile.TemporaryDirectory(prefix="foreshock-doctor-") as folder:
        programs = [
            Program(name=name, module=plan.module_of(name), env=told.env) for name in told.services
        ]
        checked = await check_settings(Forker(), programs, Path(folder))
    return [*checked.problems, *misspelt(checked.names, dotenv_names(), os.environ)]


async def _services(_: argparse.Namespace) -> Findings:
    ends = running()
    if ends is None:
        return []
    async with asking.client() as http:
        found = {
            name: await asking.unready(http, service.health)
            for name, service in ends.services.items()
        }
    return [
        f"{name} (pid {ends.services[name].pid}) {why}; see var/log/{name}.log"
        for name, why in found.items()
        if why is not None
    ]


async def _schemas(_: argparse.Namespace) -> Findings:
    return registry.problems()


class _Telegram(msgspec.Struct, frozen=True):
    telegram_bot_token: Secret | None = None


async def _token(_: argparse.Namespace) -> Findings:
    token = load(_Telegram, environment()).telegram_bot_token
    if token is None:
        ends = running()
        if ends and ends.bot_api:
            return []
        return ["TELEGRAM_BOT_TOKEN is not set: ask @BotFather for one, put it in .env"]
    if wrong := token_problem(token):
        return [wrong]
    host = environment().get("TELEGRAM_API_URL", "https://api.telegram.org")
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
            answer = await client.get(f"{host}/bot{token.reveal()}/getMe")
    except httpx.HTTPError as e:
        return [f"{host} does not answer ({type(e).__name__}): is this machine online?"]
    if answer.status_code == httpx.codes.OK:
        return []
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.NOT_FOUND}:
        return ["Telegram refuses the token: copy it from @BotFather again"]
    return [f"{host} answers {answer.status_code}: try again in a minute"]


_CHECKS: Final[dict[str, Callable[[argparse.Namespace], Awaitable[Findings]]]] = {
    "broker and topics": _topics,
    "settings": _settings,
    "services": _services,
    "schemas": _schemas,
    "Telegram token": _token,
}
