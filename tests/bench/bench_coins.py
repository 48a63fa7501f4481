"""What an event costs with 500 coins against what it costs with 10."""

import tempfile
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Final

from bench.bench_ingest import service_pace as ingest_pace
from bench.bench_threshold import EXCHANGES
from bench.bench_threshold import service_pace as threshold_pace
from bench.harness import Goal, Row, in_turns, median, row
from bench.kafka import CLOCK, filled, kafka
from bench.market import bars, coins
from bench.measuring import Pace

from foreshock_schemas.topics import BARS

_RECORDS: Final = 150_000
_FEW: Final = 10
_MANY: Final = 500
_REPEATS: Final = 3

_PaceOf = Callable[[int], Awaitable[Pace]]


async def run() -> list[Row]:
    """Compare CPU time per event, in the ingester and in the detector."""
    return [
        await _compared("ingest-trades", _ingest),
        await _compared("threshold-service, bars", _threshold),
    ]


async def _compared(name: str, pace_of: _PaceOf) -> Row:
    many, few = await in_turns(
        _REPEATS, f"{name}, {_MANY} coins", lambda: pace_of(_MANY), lambda: pace_of(_FEW)
    )
    return row(
        f"{name}, {_MANY} coins",
        median([1e6 / pace.cpu for pace in many]),
        "us of CPU per event",
        f"itself, {_FEW} coins",
        median([1e6 / pace.cpu for pace in few]),
        Goal(ratio_at_most=1.1),
    )


async def _ingest(count: int) -> Pace:
    with tempfile.TemporaryDirectory() as folder:
        async with kafka() as broker:
            return await ingest_pace(broker, Path(folder), coins(count))


async def _threshold(count: int) -> Pace:
    names = coins(count)
    seconds = 1 + _RECORDS // (count * len(EXCHANGES))
    start_ms = CLOCK.now_ms() - seconds * 1000
    events = islice(bars(names, EXCHANGES, seconds, start_ms), _RECORDS)
    async with filled(BARS, events) as broker:
        return await threshold_pace(broker, BARS, _RECORDS)
