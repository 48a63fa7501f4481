"""threshold-service with two members in place of one: what an event costs all of them together."""

import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Final

from bench.bench_threshold import CONSUMED, EXCHANGES
from bench.harness import Goal, Row, in_turns, median, row
from bench.kafka import CLOCK, fill, kafka
from bench.market import bars, coins
from bench.measuring import cpu_s, metric, reached

from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Event
from foreshock_schemas.topics import BARS

RECORDS: Final = 200_000
_REPEATS: Final = 3
_MICRO: Final = 1e6


async def run() -> list[Row]:
    """Compare CPU time per event."""
    names = coins(80)
    seconds = 1 + RECORDS // (len(names) * len(EXCHANGES))
    made = bars(names, EXCHANGES, seconds, CLOCK.now_ms() - seconds * 1000)
    events = list(islice(made, RECORDS))
    two, one = await in_turns(
        _REPEATS, "members", lambda: _cost(2, events), lambda: _cost(1, events)
    )
    return [
        row(
            "threshold-service, two members",
            median(two),
            "CPU us per bar",
            "one member",
            median(one),
            Goal(ratio_at_most=1.1),
        )
    ]


async def _cost(members: int, events: Sequence[Event]) -> float:
    """Return CPU microseconds per event; members hold their partitions before any is there."""
    async with kafka() as broker, AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers,
            "LOG_LEVEL": "WARNING",
        }
        crew = [
            ServiceProcess("threshold_service", folder / str(n), env | {"INSTANCE_ID": str(n)})
            for n in range(members)
        ]
        for member in crew:
            await stack.enter_async_context(member)
            await member.until_ready()
        await crew[0].until_ready()
        for member in crew:
            member.send(signal.SIGSTOP)
        await fill(broker, BARS, events)
        before = _cpu_s(crew)
        for member in crew:
            member.send(signal.SIGCONT)
        await reached(lambda: _consumed(crew), len(events), CONSUMED)
        return (_cpu_s(crew) - before) / len(events) * _MICRO


async def _consumed(crew: Sequence[ServiceProcess]) -> float:
    return sum([await metric(member, CONSUMED) for member in crew])


def _cpu_s(crew: Sequence[ServiceProcess]) -> float:
    return sum(cpu_s(member.pid) for member in crew)
