"""`foreshock replay --from … --to …`: a detector concludes once more from what is in Kafka."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from foreshock_cli import comparing
from foreshock_cli.arguments import let_times_be_values, moment
from foreshock_cli.comparing import clock_time
from foreshock_cli.concluding import NoReplay, conclude
from foreshock_cli.connect import add_broker_argument, kafka_settings, reach
from foreshock_cli.interrupting import Interrupted, until_interrupted
from foreshock_cli.retained import DAY_MS, Retained, retained
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, leaves
from foreshock_kit.kafka import received
from foreshock_kit.kafka.spans import open_logs
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import Signal, SignalKind
from foreshock_schemas.topics import BARS, LIQUIDATIONS, OPEN_INTEREST, SIGNALS, Topic

SERVICES: Final[dict[str, frozenset[SignalKind]]] = {
    "threshold-service": frozenset({"liquidation", "cascade", "volume_spike", "oi_explosion"}),
}
"""The services that can conclude once more, and the kinds of signals that are theirs."""

_HEARD: Final = (BARS, LIQUIDATIONS, OPEN_INTEREST)
_MADE_OF: Final[dict[SignalKind, Topic]] = {
    "liquidation": LIQUIDATIONS,
    "cascade": LIQUIDATIONS,
    "volume_spike": BARS,
    "oi_explosion": OPEN_INTEREST,
}
_SHORT: Final = 0.99
"""Of the days asked for; what holds more holds them all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a replay from Kafka."""
    let_times_be_values(parser)
    time = moment(SystemClock())
    told = parser.add_argument_group("from Kafka", "times: ISO 8601, ms since 1970, -2h, or now")
    told.add_argument("--from", dest="from_ms", type=time, metavar="T", help="the first time")
    told.add_argument("--to", dest="to_ms", type=time, metavar="T", help="up to here; else now")
    told.add_argument("--out", type=Path, metavar="FILE", help="takes the signals, else stdout")
    told.add_argument("--compare", action="store_true", help="with those on the topic of signals")
    told.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what if: another setting than the one in force, as budgets.volume_spike=2",
    )
    add_broker_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay; return 1 if it fails or if compared signals differ, 2 for wrong arguments.

    Interrupted by SIGINT or SIGTERM, return 128 plus the signal's number.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        what_if = settings_of(arguments.set)
        span = _span(arguments, SystemClock().now_ms())
        _check_words(arguments)
    except ValueError as e:
        errors.print(f"foreshock replay: {e}", style="red", markup=False)
        return 2
    code = 1
    try:
        code = int(not asyncio.run(until_interrupted(_rerun(arguments, span, what_if))))
    except* (OSError, ForeshockError) as group:
        for problem in leaves(group):
            errors.print(f"foreshock replay: {problem}", style="red", markup=False)
            code = problem.code if isinstance(problem, Interrupted) else code
    return code


def _span(arguments: argparse.Namespace, now_ms: int) -> tuple[int, int]:
    """Return the time to go over: up to now at most."""
    from_ms, to_ms = arguments.from_ms, arguments.to_ms
    if from_ms >= now_ms:
        raise ValueError("--from lies in the future")
    if to_ms is not None and from_ms >= to_ms:
        raise ValueError("--from is not before --to")
    return from_ms, now_ms if to_ms is None else min(to_ms, now_ms)


def _check_words(arguments: argparse.Namespace) -> None:
    out = arguments.out
    if arguments.file is not None:
        raise ValueError(f"either the recording {arguments.file} or --from a time, not both")
    if out is not None and not out.parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {out.parent}")
    if out is not None and out.exists() and not out.is_file():
        raise ValueError(f"--out {out} is no plain file; without --out signals go to stdout")


def settings_of(words: list[str]) -> dict[str, Any]:
    """Return settings from words like `budgets.cascade=2`; a value is JSON, or else text.

    Raises:
        ValueError: A word has no `=`, or a name is given both a value and settings below it.
    """
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set {word}: say NAME=VALUE")
        *groups, last = name.split(".")
        inner = settings
        try:
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = _value(text)
        except (AttributeError, TypeError) as e:
            raise ValueError(f"--set {word}: {'.'.join(groups)} has a value of its own") from e
    return settings


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


async def _rerun(
    arguments: argparse.Namespace, span: tuple[int, int], what_if: dict[str, Any]
) -> bool:
    settings = kafka_settings(arguments)
    await reach(settings, (*_HEARD, SIGNALS))
    service = arguments.service or next(iter(SERVICES))
    if service not in SERVICES:
        raise NoReplay(f"{service} concludes nothing; those that do: {', '.join(SERVICES)}")
    there = await _retained(settings, span)
    lines = await _concluded(service, settings, span, arguments.out, what_if)
    made = [msgspec.json.decode(line, type=Signal) for line in lines]
    if not (arguments.out or arguments.compare or what_if):
        sys.stdout.writelines(f"{line.decode()}\n" for line in lines)
    if not (arguments.compare or what_if):
        return True
    live = await _live(settings, span, SERVICES[service])
    out = Console(highlight=False, soft_wrap=True)
    if what_if:
        _show_what_if(live, made, there, span, out)
    return _are_alike(live, made, out) if arguments.compare else True


async def _concluded(
    service: str,
    settings: KafkaSettings,
    span: tuple[int, int],
    file: Path | None,
    what_if: dict[str, Any],
) -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="foreshock-replay-") as folder:
        written = file or Path(folder) / "signals"
        warnings = await conclude(service, settings, span, written, what_if)
        lines = written.read_bytes().splitlines()
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for warning in warnings:
        errors.print(f"foreshock replay: {warning}", style="yellow", markup=False)
    return lines


def _are_alike(live: list[Signal], made: list[Signal], out: Console) -> bool:
    differences = comparing.differences(live, made)
    for line in differences:
        out.print(line, markup=False)
    many = "" if len(differences) == 1 else "s"
    count = f"{len(differences) or 'no'} difference{many}"
    out.print(f"{len(made)} replayed, {len(live)} live: {count}")
    return not differences


def _show_what_if(
    live: list[Signal], made: list[Signal], there: Retained, span: tuple[int, int], out: Console
) -> None:
    days = {kind: there.days(topic.name) for kind, topic in _MADE_OF.items()}
    begun = [
        [s for s in signals if s.ts_recv_ms >= there.since_ms[_MADE_OF[s.kind].name]]
        for signals in (live, made)
    ]
    out.print(comparing.table(*begun, days=days))
    asked = (span[1] - span[0]) / DAY_MS
    for topic in _HEARD:
        if (read := there.days(topic.name)) < _SHORT * asked:
            since = clock_time(there.since_ms[topic.name])
            kinds = " and ".join(kind for kind, of in _MADE_OF.items() if of == topic)
            out.print(
                f"{kinds}: counted over {read:.2f} days, not the {asked:.2f} asked for: Kafka has "
                f"{topic.name} from {since} to {clock_time(there.until_ms)} UTC"
            )


async def _retained(settings: KafkaSettings, span: tuple[int, int]) -> Retained:
    async with open_logs(settings, _HEARD, name="replay", stop=asyncio.Event()) as logs:
        there = await retained(logs, span)
    if there is None:
        since, until = map(clock_time, span)
        raise NoReplay(
            f"Kafka has nothing to conclude from between {since} and {until} UTC; "
            "`foreshock tail liquidations --beginning` shows from when on it has"
        )
    return there


async def _live(
    settings: KafkaSettings, span: tuple[int, int], kinds: frozenset[SignalKind]
) -> list[Signal]:
    records = await received(settings, Context("replay"), SIGNALS, *span)
    signals = (record.event for record in records)
    return [each for each in signals if isinstance(each, Signal) and each.kind in kinds]
