"""From nothing to all ready, and a detector's state back after a restart."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer
from bench.bench_threshold import CONSUMED
from bench.harness import Goal, Row, in_turns, median, row, say
from bench.kafka import CLOCK, filled
from bench.market import bars, coins
from bench.measuring import pace_between
from bench.stack import stack

from foreshock_kit.processes import spawn
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.topics import BARS

_REPEATS: Final = 3
_WHOLE_S: Final = 300.0
_COINS: Final = 60
_EXCHANGES: Final = ("binance", "bybit", "okx")
_MINUTES: Final = 16
_RECORDS: Final = _COINS * len(_EXCHANGES) * _MINUTES * 60


async def run() -> list[Row]:
    """Measure both starts."""
    return [await _cold(), await _state_back()]


async def _cold() -> Row:
    mine, imports = await in_turns(_REPEATS, "cold start", _up_s, _imports_s)
    return row(
        "cold start to all ready, embedded broker",
        median(mine),
        "s",
        "the imports alone, in one process",
        median(imports),
        Goal(at_most=5),
    )


async def _up_s() -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        async with stack(Path(folder), {}):
            return time.monotonic() - started


async def _imports_s() -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        words = ("-c", "import foreshock_cli.preload")
        process = await spawn(sys.executable, *words, log=Path(folder) / "log")
        await process.wait()
        return time.monotonic() - started


async def _state_back() -> Row:
    say("state back")
    start_ms = CLOCK.now_ms() - _MINUTES * 60_000
    events = bars(coins(_COINS), _EXCHANGES, _MINUTES * 60, start_ms)
    async with filled(BARS, events) as broker:
        with tempfile.TemporaryDirectory() as folder:
            env = {"KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers}
            service = ServiceProcess("threshold_service", Path(folder), env)
            async with service:
                await service.until_ready()
                await pace_between(service, CONSUMED, _RECORDS)
            mine, others = await in_turns(
                _REPEATS, "state back", lambda: _again_s(service), lambda: _read_s(broker)
            )
    return row(
        f"a detector's state back by reading {_MINUTES} min again (snapshots are not there yet)",
        median(mine),
        "s",
        f"bare aiokafka reading the same {_RECORDS:,} records",
        median(others),
        Goal(at_most=10),
    )


async def _again_s(service: ServiceProcess) -> float:
    started = time.monotonic()
    async with service:
        await service.until_ready()
        return time.monotonic() - started


async def _read_s(broker: KafkaSettings) -> float:
    started, left = time.monotonic(), _RECORDS
    consumer = AIOKafkaConsumer(
        BARS.name,
        bootstrap_servers=broker.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(_WHOLE_S), consumer:
        while left > 0:
            left -= sum(map(len, (await consumer.getmany(timeout_ms=250)).values()))
    return time.monotonic() - started
