"""`foreshock topics`: the topic table, and how the broker differs from it."""

import argparse
import asyncio

from rich.console import Console
from rich.table import Table

from foreshock_cli.connect import add_broker_argument, kafka_settings
from foreshock_kit.admin import topic_problems
from foreshock_kit.errors import ForeshockError
from foreshock_schemas.topics import TOPICS

_DAY_MS = 86_400_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_broker_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table; return 1 if the broker has it otherwise or does not answer."""
    console = Console()
    console.print(_table())
    try:
        problems = asyncio.run(topic_problems(kafka_settings(arguments)))
    except ForeshockError as e:
        Console(stderr=True).print(f"the broker was not asked: {e}", style="yellow")
        return 1
    for problem in problems:
        console.print(f"[red]✗[/red] {problem}")
    if not problems:
        console.print("[green]✓[/green] the broker has them all, as in the table")
    return int(bool(problems))


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
