"""`foreshock tail TOPIC`: a topic's events as they come, or its dead letters."""

import argparse
import asyncio
import difflib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Final, NoReturn, TypeVar

import msgspec
from rich.console import Console

from foreshock_cli.connect import add_broker_argument, kafka_settings, reach
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, Transient, leaves
from foreshock_kit.kafka import DeadLetter, Record, follow, follow_dead_letters
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import TOPICS, Topic

_LOOK_EVERY_S: Final = 2.0
_SHOWN_BYTES: Final = 64
_LETTERS: Final = ".dlq"

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("topic", help="a topic's name, in full or short: signals, signals.dlq")
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
    """Return the topic of that name, full (`foreshock.signals.v1`) or short (`signals`).

    For the name of dead letters (`signals.dlq`) it is the topic that they are of.
    """
    name = name.removesuffix(_LETTERS)
    return next((t for t in TOPICS if name in {t.name, t.name.split(".")[1]}), None)


def line(record: Record) -> str:
    """Return an event in one readable line: time, key, then what it says."""
    event = record.event
    fields = msgspec.to_builtins(event)
    said = (f"{k}={v}" for k, v in fields.items() if not k.startswith("ts_") and v is not None)
    return _printable(f"{_time(event.ts_event_ms)} {type(event).__name__} {' '.join(said)}")


def letter_line(letter: DeadLetter) -> str:
    """Return a dead letter in one line: why, who says so, where it lay, and its first bytes."""
    left = len(letter.value) - _SHOWN_BYTES
    more = f" and {left} bytes more" if left > 0 else ""
    return _printable(
        f"{_time(letter.at_ms)} {letter.service}: {letter.error} topic={letter.topic} "
        f"partition={letter.partition} offset={letter.offset} key={letter.key[:_SHOWN_BYTES]!r} "
        f"value={letter.value[:_SHOWN_BYTES]!r}{more}"
    )


async def _tail(
    topic: Topic,
    settings: KafkaSettings,
    arguments: argparse.Namespace,
    say: Callable[[str], None],
) -> None:
    context = Context("tail", asyncio.Event(), SystemClock())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, context.stop.set)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_reading(topic, settings, arguments, context))
        watching = group.create_task(_watch(settings, say))
        await context.stop.wait()
        for task in (reading, watching):
            task.cancel()


def _reading(
    topic: Topic, settings: KafkaSettings, arguments: argparse.Namespace, context: Context
) -> Coroutine[object, object, None]:
    since_ms = None if arguments.beginning else 0
    if arguments.topic.endswith(_LETTERS):
        on_letter = _printer(_letter_as_json if arguments.json else letter_line, context.stop)
        return follow_dead_letters(settings, context, topic, on_letter, since_ms=since_ms)
    return follow(
        settings,
        context,
        [topic],
        _printer(_as_json if arguments.json else line, context.stop),
        since_ms={topic.name: since_ms},
        caught_up=asyncio.Event(),
    )


def _printer(show: Callable[[T], str], stop: asyncio.Event) -> Callable[[T], None]:
    def show_it(item: T) -> None:
        try:
            sys.stdout.write(f"{show(item)}\n")
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read us, `head` for example, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            stop.set()

    return show_it


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


def _letter_as_json(letter: DeadLetter) -> str:
    return msgspec.json.encode(letter).decode()


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]


def _printable(text: str) -> str:
    """Return a text whose line ends and control characters a terminal shows, and does not obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _nearest(name: str) -> str:
    short = [t.name.split(".")[1] for t in TOPICS]
    close = difflib.get_close_matches(name.removeprefix("foreshock.").split(".")[0], short)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are: {', '.join(short)}"
