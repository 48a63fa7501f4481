"""`foreshock up`: the whole stack on this machine, until Ctrl-C."""

import argparse
import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from foreshock_cli.arguments import seconds
from foreshock_cli.child import ENDING
from foreshock_cli.connect import environment
from foreshock_cli.endpoints import Endpoints
from foreshock_cli.plan import Plan, UnknownService, make
from foreshock_cli.reach import ask
from foreshock_cli.stack import Stack
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, SettingsInvalid, leaves
from foreshock_kit.service import WRONG_SETTINGS

_VAR = Path("var")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--only", default="", metavar="A,B", help="start only these services")
    parser.add_argument(
        "--for",
        type=seconds,
        dest="seconds",
        metavar="SECONDS",
        help="stop by itself after so long",
    )
    parser.add_argument(
        "--logs", action="store_true", help="services' logs here instead of var/log/"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the stack; return 0 after a stop, 2 for a wrong word, 78 for wrong settings, else 1."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    only = tuple(name.strip() for name in arguments.only.split(",") if name.strip())
    code = 0
    try:
        asyncio.run(_until_stopped(make(environment(), only), console, arguments))
    except* UnknownService as group:
        code = _complain(console, map(str, leaves(group)), 2)
    except* SettingsInvalid as group:
        lines = (line for each in leaves(group) for line in str(each).splitlines())
        code = _complain(console, lines, WRONG_SETTINGS)
    except* (ForeshockError, OSError) as group:
        code = code or _complain(console, map(str, leaves(group)), 1)
    return code


def _complain(console: Console, lines: Iterable[str], code: int) -> int:
    for line in lines:
        console.print(f"foreshock up: {line}", style="red", markup=False)
    return code


async def _until_stopped(plan: Plan, console: Console, arguments: argparse.Namespace) -> None:
    clock = SystemClock()
    started = clock.monotonic()

    said = asyncio.get_running_loop().create_future()

    def ready(ends: Endpoints) -> None:
        took_s = clock.monotonic() - started
        console.print(banner(plan, ends, took_s, logs_here=arguments.logs))
        said.set_result(ends)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    say = partial(console.print, markup=False)
    stack = Stack(plan, _VAR, say=say, clock=clock, logs=arguments.logs)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stack.run(ready))
        ended = group.create_task(_ended(task, stop))
        looking = group.create_task(_look_at_exchanges(said, say))
        try:
            async with asyncio.timeout(arguments.seconds):
                await ended
        except TimeoutError:
            pass
        looking.cancel()
        if not task.done():
            console.print("stopping")
            task.cancel()


async def _look_at_exchanges(said: asyncio.Future[Endpoints], say: Callable[[str], None]) -> None:
    """Say, soon after the banner, if not one of the exchanges answers; all goes on the same."""
    problems = await ask((await said).exchanges)
    if problems and all(problems.values()):
        say("no exchange answers here: there will be no market until one does")
        for name, problem in problems.items():
            say(f"  {name}: {problem}")


async def _ended(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(stop.wait())
        task.add_done_callback(lambda _: waiting.cancel())


def banner(plan: Plan, ends: Endpoints, took_s: float, *, logs_here: bool) -> str:
    """Return what is said once everything is ready, in rich's markup."""
    lines = ["", f"[bold]Foreshock is ready[/bold] after {took_s:.1f} s"]
    lines += [f"  {escape(line)}" for line in plan.describe()]
    lines += [f"  kafka     {ends.kafka}", f"  schemas   {ends.schema_registry}"]
    if ends.chat_page:
        lines.append(f"  [bold]chat      {ends.chat_page}[/bold]   <- open this in a browser")
    lines += [f"  logs      {'below' if logs_here else 'var/log/'}   Ctrl-C stops everything", ""]
    return "\n".join(lines)
