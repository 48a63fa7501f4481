"""`foreshock replay FILE`: a recording through a real ingester onto a real topic, and counted.

With `--from` it is `rerun`'s: what is in Kafka through a real detector.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from foreshock_cli import rerun
from foreshock_cli.complaints import Complaints
from foreshock_cli.instruments import in_bodies
from foreshock_cli.interrupting import Interrupted, until_interrupted
from foreshock_cli.plan import module_of, without_kafka
from foreshock_cli.playing import Player, bar
from foreshock_cli.processes import Forker, Running
from foreshock_cli.program import Program
from foreshock_cli.recording import Frame, bodies, frames
from foreshock_cli.witness import Counts, Subjects, counts_of, ids_on, publish_universe, subjects
from foreshock_exchanges import NAMES, load
from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import watched_broker
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, leaves
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import LIQUIDATIONS, TRADES

_TOPICS: Final = {"ingest-trades": TRADES, "ingest-liquidations": LIQUIDATIONS}
_SPEEDS: Final = {"max": None, "1": 1.0, "10": 10.0}
_START_S: Final = 30.0
_STALLED_S: Final = 30.0
_GRACE_S: Final = 10.0
_ANY_AGE_S: Final = 1e10


class NothingToReplay(ForeshockError):
    """A recording holds nothing that an ingester could be asked for."""


class Stalled(ForeshockError):
    """The ingester has stopped taking frames."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("file", nargs="?", type=Path, help="a recording: plain, gzip or zstd")
    parser.add_argument("--exchange", default="binance", choices=NAMES)
    parser.add_argument("--speed", default="max", choices=_SPEEDS, help="times the recorded pace")
    parser.add_argument(
        "--service",
        choices=(*_TOPICS, *rerun.SERVICES),
        help="the ingester, else the one whose events it holds most; or the detector",
    )
    rerun.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the counts as JSON; return 1 if something was lost on the way."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if arguments.from_ms is not None:
        return rerun.run(arguments)
    if arguments.file is None or arguments.service in rerun.SERVICES:
        errors.print("foreshock replay: name a recording, or --from a time", style="red")
        return 2
    if arguments.to_ms or arguments.out or arguments.compare or arguments.set:
        errors.print(
            "foreshock replay: --to, --out, --compare and --set go with --from a time", style="red"
        )
        return 2
    figures: dict[str, float] = {}
    code = 1
    try:
        figures = asyncio.run(until_interrupted(_replay(arguments)))
    except* (OSError, ForeshockError) as group:
        for problem in leaves(group):
            errors.print(f"foreshock replay: {problem}", style="red", markup=False)
            code = problem.code if isinstance(problem, Interrupted) else code
    if not figures:
        return code
    sys.stdout.write(f"{json.dumps(figures)}\n")
    return int(figures["on_topic"] != figures["expected"])


async def _replay(arguments: argparse.Namespace) -> dict[str, float]:
    recorded = list(frames(arguments.file))
    found = _subjects(arguments, recorded)
    _check(arguments, recorded, found)
    service = arguments.service or found.service
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="foreshock-replay-") as folder:
        async with (
            watched_broker(Path(folder) / "broker") as broker,
            Player(recorded, _SPEEDS[arguments.speed]) as player,
            asyncio.TaskGroup() as group,
        ):
            watching = group.create_task(broker.died())
            settings = KafkaSettings(kafka_bootstrap_servers=broker.address)
            await ensure_topics(settings)
            await publish_universe(settings, found.instruments, clock)
            program = _program(
                service, arguments.exchange, broker.address, player.url, Path(folder)
            )
            running = await Forker().start(program)
            try:
                counts, seconds = await _until_taken(running, program, player, len(recorded))
            finally:
                await running.stop()
                running.close()
            on_topic = await ids_on(settings, _TOPICS[service], clock)
            watching.cancel()
    return _figures(counts, found.events.get(service, 0), len(on_topic), seconds)


def _subjects(arguments: argparse.Namespace, recorded: Sequence[Frame]) -> Subjects:
    complain = Complaints("replay").say
    told = in_bodies(load(arguments.exchange).rest, bodies(arguments.file), complain)
    return subjects(arguments.exchange, (frame.data for frame in recorded), told)


def _check(arguments: argparse.Namespace, recorded: Sequence[Frame], found: Subjects) -> None:
    if not recorded:
        raise NothingToReplay(f"no frames in {arguments.file}")
    if not found.instruments:
        raise NothingToReplay(
            f"none of the {len(recorded)} lines of {arguments.file} is a trade, liquidation or "
            f"mark of {arguments.exchange} whose size is known"
        )


def _program(service: str, exchange: str, kafka: str, url: str, folder: Path) -> Program:
    env = {
        **_own(os.environ),
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "EXCHANGES": exchange,
        "EXCHANGE_WS_URLS": f"{exchange}={url}",
        "HISTORY_S": str(_ANY_AGE_S),
        "BACKFILL": "false",
        "HEALTH_FILE": str(folder / "health"),
        "HEALTH_PORT": "0",
        "LOG_LEVEL": "WARNING",
        "GRACE_S": str(_GRACE_S),
    }
    return Program(
        name=service,
        module=module_of(service),
        env=env,
        announces=folder / "health",
        grace_s=_GRACE_S,
    )


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    env = without_kafka(environ)
    return {name: text for name, text in env.items() if not name.startswith("SCHEMA_REGISTRY_")}


async def _until_taken(
    running: Running, program: Program, player: Player, total: int
) -> tuple[Counts, float]:
    """Return the ingester's counts once it has taken every frame, and how long that took."""
    clock = SystemClock()
    counts = Counts()
    moved = clock.monotonic() + _START_S
    with bar(total) as progress:
        while counts.frames < total:
            await asyncio.sleep(0.05)
            fresh = await counts_of(program)
            if fresh.frames > counts.frames:
                moved = clock.monotonic() + _STALLED_S
            counts = fresh
            progress(counts.frames)
            if clock.monotonic() > moved or running.ended:
                raise Stalled(
                    f"{program.name} took {counts.frames} of {total} frames and then no more; "
                    "what it logged, if anything, is above"
                )
    return counts, clock.monotonic() - player.started


def _figures(counts: Counts, expected: int, on_topic: int, seconds: float) -> dict[str, float]:
    return {
        **msgspec.structs.asdict(counts),
        "expected": expected,
        "on_topic": on_topic,
        "seconds": round(seconds, 3),
        "events_per_s": round(counts.events / seconds) if seconds else 0,
    }
