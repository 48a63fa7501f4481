"""`foreshock explain SIGNAL_ID`: why a signal was raised, and from which records."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from rich.console import Console

from foreshock_cli.arguments import let_times_be_values, moment
from foreshock_cli.comparing import clock_time
from foreshock_cli.connect import add_broker_argument, kafka_settings, reach
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import ForeshockError, leaves
from foreshock_kit.kafka import Record, received
from foreshock_kit.kafka.spans import open_logs
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import OffsetRange, Signal, Why
from foreshock_schemas.topics import SIGNALS, TOPICS

_DAY_MS: Final = 86_400_000
_WHOLE: Final = 1_000


class NoSuchSignal(ForeshockError):
    """No signal has such an id."""


class Input(msgspec.Struct, frozen=True):
    """Records that a signal rests on, and how many of them Kafka no longer has."""

    topic: str
    partition: int
    first: int
    last: int
    expired: int


class Explained(msgspec.Struct, frozen=True):
    """A signal, where it lies, and what is left of its inputs."""

    partition: int
    offset: int
    signal: Signal
    inputs: tuple[Input, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    let_times_be_values(parser)
    parser.add_argument("signal_id", help="its event_id, or how that begins")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument(
        "--from",
        dest="from_ms",
        type=moment(SystemClock()),
        metavar="T",
        help="how far back to look (ISO 8601, ms since 1970, -7d); else a day",
    )
    add_broker_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Explain the newest such signal; return 1 if there is none or records of it have expired.

    Return 2 for wrong arguments.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if wrong := _wrong(arguments):
        errors.print(f"foreshock explain: {wrong}", style="red", markup=False)
        return 2
    explained = None
    try:
        explained = asyncio.run(_explained(arguments))
    except* ForeshockError as group:
        for problem in leaves(group):
            errors.print(f"foreshock explain: {problem}", style="red", markup=False)
    if explained is None:
        return 1
    if arguments.json:
        sys.stdout.write(f"{msgspec.json.encode(explained).decode()}\n")
    else:
        for line in lines(explained):
            sys.stdout.write(f"{line}\n")
    expired = sum(each.expired for each in explained.inputs)
    if expired:
        errors.print(
            f"foreshock explain: {expired} of its records have expired: a replay makes it again "
            "only as far as a snapshot holds what they were",
            style="yellow",
        )
    return int(bool(expired))


def _wrong(arguments: argparse.Namespace) -> str | None:
    if not arguments.signal_id:
        return "say which signal: `foreshock tail signals` shows them with their ids"
    if arguments.from_ms is not None and arguments.from_ms > SystemClock().now_ms():
        return "--from lies in the future: say how far back to look, as -7d"
    return None


def lines(explained: Explained) -> Iterator[str]:
    """Yield the explanation, line by line."""
    signal = explained.signal
    yield signal.headline
    at = clock_time(signal.ts_event_ms)
    yield f"  {signal.kind} of {signal.coin}, {signal.severity}, {at} UTC"
    yield f"  id           {signal.event_id}"
    yield f"  where        {SIGNALS.name} partition {explained.partition} offset {explained.offset}"
    yield f"  value        {_figure(signal.value)} of {_figure(signal.limit)} {signal.unit}"
    if signal.incident_id is not None:
        yield f"  incident     {signal.incident_id} {signal.incident_state or ''}".rstrip()
    for reason in signal.reasons:
        yield f"  reason       {reason}"
    if signal.why is not None:
        yield from _why(signal.why)
    for each in explained.inputs:
        there = f"{each.expired} expired" if each.expired else "all there"
        yield (
            f"  input        {each.topic} partition {each.partition} "
            f"offsets {each.first} to {each.last}, {there}"
        )
    if signal.why is not None:
        yield f"  again        {signal.why.reproduce}"


def _why(why: Why) -> Iterator[str]:
    yield f"  model        {why.model}"
    if why.baseline is not None:
        yield f"  expected     {_figure(why.baseline)}"
    if why.score is not None:
        limit = "" if why.score_limit is None else f" of {why.score_limit:.3g}"
        yield f"  score        {why.score:.3g}{limit}"
    for factor in why.factors:
        part = f": {factor.contribution:+.3g}" if factor.contribution else ""
        yield f"  factor       {factor.name} {_figure(factor.value)}{part}"
    for feed in why.feeds:
        yield f"  feed         {feed.exchange} {feed.channel} {feed.state}"
    yield f"  settings     {why.settings_id or 'the defaults'}"
    yield f"  held back    {why.held_back}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"


async def _explained(arguments: argparse.Namespace) -> Explained:
    settings = kafka_settings(arguments)
    await reach(settings, [SIGNALS])
    now_ms = SystemClock().now_ms()
    from_ms = now_ms - _DAY_MS if arguments.from_ms is None else arguments.from_ms
    records = await received(settings, Context("explain"), SIGNALS, from_ms, now_ms + _DAY_MS)
    record, signal = _newest(records, arguments.signal_id, from_ms)
    inputs = await _inputs(settings, signal)
    return Explained(record.partition, record.offset, signal, inputs)


def _newest(records: Sequence[Record], prefix: str, from_ms: int) -> tuple[Record, Signal]:
    for record in reversed(records):
        signal = record.event
        if isinstance(signal, Signal) and signal.event_id.startswith(prefix):
            return record, signal
    raise NoSuchSignal(
        f"none of the {len(records)} signals since {clock_time(from_ms)} UTC has an id that begins "
        f"with {prefix!r}; --from -7d looks further back, `foreshock tail signals` shows them"
    )


async def _inputs(settings: KafkaSettings, signal: Signal) -> tuple[Input, ...]:
    ranges = [each for each in _ranges(signal) if each.topic in {topic.name for topic in TOPICS}]
    topics = [topic for topic in TOPICS if topic.name in {each.topic for each in ranges}]
    if not topics:
        return ()
    stop = asyncio.Event()
    async with open_logs(settings, topics, name="explain", stop=stop) as logs:
        first = {(where.topic, where.partition): at for where, at in logs.first.items()}
    return tuple(
        Input(
            each.topic,
            each.partition,
            each.first,
            each.last,
            max(0, min(first[each.topic, each.partition], each.last + 1) - each.first),
        )
        for each in ranges
    )


def _ranges(signal: Signal) -> Iterable[OffsetRange]:
    """Return its inputs, or if it names none, the records that are its evidence."""
    if signal.why is not None and signal.why.inputs:
        return signal.why.inputs
    return (
        OffsetRange(topic=each.topic, partition=each.partition, first=each.offset, last=each.offset)
        for each in signal.evidence
    )
