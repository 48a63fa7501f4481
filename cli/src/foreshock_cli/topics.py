"""`foreshock topics`: the topic table, and how the broker differs from it."""

import argparse
import asyncio

from rich.console import Console
from rich.table import Table

from foreshock_cli.connect import add_broker_argument, kafka_settings, running
from foreshock_cli.plan import EMBEDDED_RETENTION_MS
from foreshock_kit.admin import ensure_topics, topic_problems
from foreshock_kit.errors import ForeshockError
from foreshock_schemas.topics import TOPICS

_DAY_MS = 86_400_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_broker_argument(parser)
    parser.add_argument("--create", action="store_true", help="create those that are missing")


def run(arguments: argparse.Namespace) -> int:
    """Print the table; return 1 if the broker has it otherwise or does not answer."""
    console = Console()
    console.print(_table())
    try:
        settings = kafka_settings(arguments)
        if arguments.create:
            for name in asyncio.run(ensure_topics(settings)):
                console.print(f"[green]+[/green] {name} created")
        problems = asyncio.run(topic_problems(settings, retention_cap_ms=_cap()))
    except ForeshockError as e:
        Console(stderr=True).print(f"the broker was not asked: {e}", style="yellow")
        return 1
    for problem in problems:
        console.print(f"[red]✗[/red] {problem}")
    if not problems:
        console.print("[green]✓[/green] the broker has them all, as in the table")
    return int(bool(problems))


def _cap() -> int | None:
    return EMBEDDED_RETENTION_MS if running() else None


def _table() -> Table:
    table = Table("topic", "event", "key", "partitions", "cleanup", "kept", "written by")
    for topic in TOPICS:
        kept = f"{topic.retention_ms / _DAY_MS:g} d" if topic.retention_ms else "for ever"
        table.add_row(
            topic.name,
            topic.event.__name__,
            topic.key,
            str(topic.partitions),
            topic.cleanup,
            kept,
            ", ".join(topic.written_by),
        )
    return table
