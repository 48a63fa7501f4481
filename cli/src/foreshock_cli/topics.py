"""`foreshock topics`: the topic table, and how the broker differs from it."""

import argparse
import asyncio

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from foreshock_cli.connect import (
    NoBroker,
    add_broker_argument,
    kafka_settings,
    retention_cap,
)
from foreshock_kit.admin import ensure_topics, topic_problems
from foreshock_kit.errors import ForeshockError
from foreshock_schemas.topics import TOPICS

_DAY_MS = 86_400_000
_TABLE_WIDTH = 125


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_broker_argument(parser)
    parser.add_argument("--create", action="store_true", help="create those that are missing")


def run(arguments: argparse.Namespace) -> int:
    """Print the table; return 1 if a broker has it otherwise, or does not answer when asked to."""
    console = Console()
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(_table())
    try:
        settings = kafka_settings(arguments)
        cap = retention_cap(settings)
        if arguments.create:
            for name in asyncio.run(ensure_topics(settings, cap_ms=cap)):
                console.print(f"[green]+[/green] {name} created")
        problems = asyncio.run(topic_problems(settings, cap_ms=cap))
    except NoBroker as e:
        console.print(f"That is the table; no broker to compare it with: {e}", soft_wrap=True)
        return int(arguments.create)
    except ForeshockError as e:
        errors = Console(stderr=True, highlight=False, soft_wrap=True)
        errors.print(f"foreshock topics: {e}", style="yellow", markup=False)
        return 1
    for problem in problems:
        console.print(f"[red]✗[/red] {escape(problem)}", soft_wrap=True)
    if not problems:
        console.print("[green]✓[/green] the broker has them all, as in the table")
    return int(bool(problems))


def _table() -> Table:
    table = Table(
        "topic", "event", "key", "parts", "cleanup", "kept", "written by", box=SIMPLE_HEAD
    )
    for column in table.columns[:-1]:
        column.no_wrap = True
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
