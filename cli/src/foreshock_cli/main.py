"""`foreshock`: the one command of the project."""

import argparse
import signal
import sys
from importlib import import_module
from typing import Final

INTERRUPTED: Final = 128 + signal.SIGINT
"""The exit code after Ctrl-C, as shells have it."""

COMMANDS: Final = {
    "up": "start everything here: broker, services and, unless told otherwise, a simulated market",
    "topics": "the topic table, and what is on the broker",
    "tail": "print a topic's events as they come",
    "parse": "show what an exchange's adapter makes of a recording, an event a line",
    "record": "write down what an exchange says, to parse and replay it later",
    "doctor": "check settings, broker, services, topics, schemas, token, clock, and say what to do",
    "replay": "serve a recording to a real ingester and count what arrives on its topic; or, with "
    "--from and --to, let a detector conclude once more from what is in Kafka",
    "explain": "say why a signal was raised, from which records, and how to make it again",
}
"""Each is a module of its own name, and what `--help` says of it."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code, 130 after Ctrl-C.

    Commands are imported here and not above, so that a Ctrl-C meanwhile ends quietly, too.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(argv: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="foreshock",
        description="Early warning of forced-selling cascades in crypto perpetual futures.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv or sys.argv[1:] if word in COMMANDS), None)
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name == wanted:
            import_module(f"foreshock_cli.{name}").add_arguments(command)
    arguments = parser.parse_args(argv)
    import_module("foreshock_kit.logs").configure("foreshock", "WARNING", "text")
    code: int = import_module(f"foreshock_cli.{arguments.command}").run(arguments)
    return code
