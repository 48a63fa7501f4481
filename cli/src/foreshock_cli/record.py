"""`foreshock record`: what a real exchange says, word for word, into a file to parse and replay."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from foreshock_cli.arguments import seconds, words
from foreshock_cli.capture import CannotRecord, Capture
from foreshock_cli.child import ENDING
from foreshock_cli.complaints import Complaints
from foreshock_cli.connect import environment
from foreshock_cli.tape import Tape
from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import Adapter, Channel
from foreshock_exchanges.intake import Intake
from foreshock_kit import logs
from foreshock_kit.clock import Clock, SystemClock
from foreshock_kit.environment import load as load_settings
from foreshock_kit.errors import ForeshockError, leaves
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Host, limit_of
from foreshock_kit.settings import VenueSettings
from foreshock_schemas.names import complaint

_SECONDS: Final = 60.0
_COINS: Final = 10
_SHARE: Final = 1 / 9
"""Of the venue's limit, beside the third of it that a stack which runs here may take."""
_LOOK_S: Final = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--exchange", required=True, choices=NAMES)
    parser.add_argument(
        "--for", type=seconds, dest="seconds", metavar="SECONDS", default=_SECONDS, help="60"
    )
    parser.add_argument(
        "--coins", type=_coins, default=(), metavar="BTC,ETH", help="else the ten most traded"
    )
    parser.add_argument(
        "--channels", type=_channels, metavar="A,B", help=f"of {', '.join(Channel)}; else all"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="else EXCHANGE-TIME.jsonl.zst, here"
    )


def run(arguments: argparse.Namespace) -> int:
    """Record, and say what was recorded; return 1 if nothing could be."""
    logs.configure("foreshock", "ERROR", "text")  # lost sockets are told here
    told = Complaints("record")
    code = 0
    try:
        asyncio.run(_record(arguments, told))
    except* ForeshockError as group:
        code = 1
        for problem in dict.fromkeys(map(str, leaves(group))):
            told.say(problem)
    return code


def _coins(text: str) -> tuple[str, ...]:
    coins = words(text.upper())
    if wrong := complaint(coins):
        raise argparse.ArgumentTypeError(wrong)
    return coins


def _channels(text: str) -> tuple[Channel, ...]:
    try:
        return tuple(Channel(word) for word in words(text))
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{e}; there are: {', '.join(Channel)}") from e


async def _record(arguments: argparse.Namespace, told: Complaints) -> None:
    adapter = load(arguments.exchange)
    env = {name: text for name, text in environment().items() if name.startswith("EXCHANGE_")}
    settings = load_settings(VenueSettings, env)
    clock = SystemClock()
    file = arguments.output or _default_name(adapter.name, clock)
    with Tape(file, adapter.name) as tape:
        capture = Capture(adapter, tape, Intake(adapter, told.refused), told.say)
        symbols = await _symbols(adapter, capture, settings, arguments.coins)
        ws_url = settings.ws_url(adapter.name, adapter.ws_url)
        feeds = capture.feeds(arguments.channels or tuple(adapter.coverage), symbols, ws_url)
        stop = asyncio.Event()
        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        started = clock.monotonic()
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(capture, clock, started, told.console))
            await capture.listen(feeds, stop, arguments.seconds)
            showing.cancel()
    told.say_how_many_more()
    if not capture.frames:
        raise CannotRecord(f"{adapter.name} said nothing: nothing is kept, say a longer --for")
    sys.stdout.write(f"{file}: {_said(capture, clock.monotonic() - started)}\n")


async def _symbols(
    adapter: Adapter, capture: Capture, settings: VenueSettings, asked: Sequence[str]
) -> list[str]:
    host = settings.rest_url(adapter.name, adapter.rest_url)
    limits = Host(limit_of(adapter.rest.budget, _SHARE), SystemClock())
    async with HttpClient(host, limits) as http:
        contracts = await capture.contracts(http, host)
        coins = asked or await capture.most_traded(http, host, _COINS)
    listed = {each.coin for each in contracts}
    if unlisted := [coin for coin in asked if coin not in listed]:
        raise CannotRecord(f"{adapter.name} lists no {', '.join(unlisted)}: look at --coins")
    return [each.symbol for each in contracts if each.coin in coins]


async def _show(capture: Capture, clock: Clock, started: float, console: Console) -> None:
    with console.status("connecting") as status:
        while True:
            status.update(_said(capture, clock.monotonic() - started))
            await asyncio.sleep(_LOOK_S)


def _said(capture: Capture, took_s: float) -> str:
    kinds = (f"{count:,} {kind}" for kind, count in sorted(capture.events.items()))
    return ", ".join((f"{took_s:.0f} s", f"{capture.frames:,} frames", *kinds))


def _default_name(exchange: str, clock: Clock) -> Path:
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    return Path(f"{exchange}-{now:%Y%m%dT%H%M%SZ}.jsonl.zst")
