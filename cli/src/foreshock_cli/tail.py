"""`foreshock tail TOPIC`: a topic's events as they come."""

import argparse
import asyncio
import difflib
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, NoReturn

import msgspec
from rich.console import Console

from foreshock_cli.connect import add_broker_argument, kafka_settings, reach
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, Transient, leaves
from foreshock_kit.kafka import Record, follow
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import TOPICS, Topic

_LOOK_EVERY_S: Final = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("topic", help="a topic's name, in full or short: signals")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--beginning", action="store_true", help="from the oldest record on")
    add_broker_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print events until Ctrl-C; return 2 for an unknown topic, 1 if the broker fails."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    topic = find(arguments.topic)
    if topic is None:
        unknown = f"no topic {arguments.topic!r}{_nearest(arguments.topic)}"
        errors.print(unknown, style="red", markup=False)
        return 2
    failed = False
    try:
        settings = kafka_settings(arguments)
        asyncio.run(reach(settings))
        asyncio.run(_tail(topic, settings, arguments, partial(errors.print, markup=False)))
    except* ForeshockError as group:
        failed = True
        for problem in leaves(group):
            errors.print(f"foreshock tail: {problem}", style="red", markup=False)
    return int(failed)


def find(name: str) -> Topic | None:
    """Return the topic of that name, full (`foreshock.signals.v1`) or short (`signals`)."""
    return next((t for t in TOPICS if name in {t.name, t.name.split(".")[1]}), None)


def line(record: Record) -> str:
    """Return an event in one readable line: time, key, then what it says."""
    event = record.event
    at = datetime.fromtimestamp(event.ts_event_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    fields = msgspec.to_builtins(event)
    said = (f"{k}={v}" for k, v in fields.items() if not k.startswith("ts_") and v is not None)
    return f"{at} {type(event).__name__} {' '.join(said)}"


async def _tail(
    topic: Topic,
    settings: KafkaSettings,
    arguments: argparse.Namespace,
    say: Callable[[str], None],
) -> None:
    context = Context("tail", asyncio.Event(), SystemClock())
    show = _as_json if arguments.json else line

    def on_record(record: Record) -> None:
        try:
            sys.stdout.write(f"{show(record)}\n")
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read us, `head` for example, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, context.stop.set)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(
            follow(
                settings,
                context,
                [topic],
                on_record,
                since_ms={topic.name: None if arguments.beginning else 0},
                caught_up=asyncio.Event(),
            )
        )
        watching = group.create_task(_watch(settings, say))
        await context.stop.wait()
        for task in (reading, watching):
            task.cancel()


async def _watch(settings: KafkaSettings, say: Callable[[str], None]) -> NoReturn:
    """Say when the broker answers no more, and when it is back: its reader goes on by itself."""
    answers = True
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        why = await _why_silent(settings)
        if answers and why:
            say(f"foreshock tail: {why}; going on when it answers again")
        elif why is None and not answers:
            say("foreshock tail: the broker answers again")
        answers = why is None


async def _why_silent(settings: KafkaSettings) -> str | None:
    try:
        await reach(settings)
    except Transient as e:
        return str(e)
    return None


def _as_json(record: Record) -> str:
    place = {"partition": record.partition, "offset": record.offset}
    return msgspec.json.encode(place | msgspec.to_builtins(record.event)).decode()


def _nearest(name: str) -> str:
    short = [t.name.split(".")[1] for t in TOPICS]
    close = difflib.get_close_matches(name.removeprefix("foreshock.").split(".")[0], short)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are: {', '.join(short)}"
