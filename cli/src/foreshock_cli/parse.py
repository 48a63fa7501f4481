"""`foreshock parse EXCHANGE FILE`: what an exchange's adapter makes of a recording."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from foreshock_cli.complaints import Complaints
from foreshock_cli.instruments import in_bodies, in_file
from foreshock_cli.recording import Frame, bodies, frames
from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import Adapter, MarketEvent
from foreshock_exchanges.intake import Intake
from foreshock_kit.errors import ForeshockError

_UNKNOWN_MS: Final = 2**53
"""A receive time for frames that have none: no event is ahead of it, and no event has it."""
_UNKNOWN: Final = b":%d" % _UNKNOWN_MS

_encode: Final = msgspec.json.Encoder().encode


class ReadOnce(ForeshockError):
    """A pipe was given that would have to be read twice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("exchange", choices=NAMES, metavar="EXCHANGE", help=", ".join(NAMES))
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording: plain, gzip or zstd")
    parser.add_argument(
        "--instruments",
        type=Path,
        metavar="FILE",
        help="Instrument events in JSON, a list or one a line; else the recording's REST bodies",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print an event a line, and at last on stderr what was counted; return 1 if files fail."""
    told = Complaints("parse")
    adapter = load(arguments.exchange)
    intake = Intake(adapter, told.refused)
    printed = code = 0
    try:
        _learn(adapter, arguments, told.say)
        with _bar(arguments.file) as at:
            for line in _events(intake, frames(arguments.file, at)):
                sys.stdout.buffer.write(line)
                printed += 1
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us, `head` for example, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ForeshockError) as e:
        told.say(str(e))
        code = 1
    told.say_how_many_more()
    sys.stderr.write(f"{_encode(_summary(intake, printed)).decode()}\n")
    return code


def _learn(adapter: Adapter, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    if arguments.instruments is not None:
        adapter.learn(in_file(arguments.instruments, adapter.name))
        return
    if arguments.file.is_fifo():
        raise ReadOnce(f"{arguments.file} can be read only once: say --instruments, or use a file")
    adapter.learn(in_bodies(adapter.rest, bodies(arguments.file), say))


def _events(intake: Intake, recorded: Iterator[Frame]) -> Iterator[bytes]:
    for frame in recorded:
        if frame.recv_ns is not None:
            yield from map(_line, intake.take(frame.data, frame.recv_ns // 1_000_000))
        else:
            for event in intake.take(frame.data, _UNKNOWN_MS):
                yield _line(event).replace(_UNKNOWN, b":null")


def _line(event: MarketEvent) -> bytes:
    return b'{"event":"%b",%b\n' % (type(event).__name__.encode(), _encode(event)[1:])


def _summary(intake: Intake, printed: int) -> dict[str, object]:
    return {
        "frames": intake.frames,
        "events": printed,
        "ignored": dict(intake.ignored),
        "malformed": intake.malformed,
        "unknown_instruments": intake.unknown_instruments,
        "duplicates": intake.duplicates,
    }


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much of the file is read, if a person looks there and at nothing else."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    alone = sys.stderr.isatty() and not sys.stdout.isatty()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not alone, transient=True) as progress:
        task = progress.add_task("bytes", total=file.stat().st_size)
        yield lambda done: progress.update(task, completed=done)
