"""From nothing to all ready, and a detector's state back after a restart."""

import asyncio
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from bench.bench_threshold import CONSUMED
from bench.harness import Goal, Row, in_turns, median, row, say
from bench.kafka import CLOCK, fill, filled
from bench.market import bars, coins
from bench.measuring import StoodStill, ends, pace_between
from bench.stack import stack

from foreshock_kit.processes import spawn
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.process import ServiceProcess
from foreshock_kit.testing.waiting import eventually
from foreshock_schemas.topics import BARS, MARKET_PARTITIONS

_REPEATS: Final = 3
_WHOLE_S: Final = 300.0
_IMPORTED_S: Final = 60.0
_COINS: Final = 60
_EXCHANGES: Final = ("binance", "bybit", "okx")
_MINUTES: Final = 16
_A_MINUTE: Final = _COINS * len(_EXCHANGES) * 60
_RECORDS: Final = _MINUTES * _A_MINUTE
_BEFORE_MIN: Final = 5
_HOUR_MIN: Final = 60
_GROUP: Final = "foreshock-threshold-service"


async def run() -> list[Row]:
    """Measure the starts."""
    return [await _cold(), await _state_back(), await _an_hour_back()]


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
        if not await ends(process, _IMPORTED_S):
            raise StoodStill(f"the imports take longer than {_IMPORTED_S:g} s")
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
        f"a detector's state of {_MINUTES} min back after a clean stop",
        median(mine),
        "s",
        f"bare aiokafka reading the {_RECORDS:,} records",
        median(others),
        Goal(at_most=10),
    )


async def _again_s(service: ServiceProcess) -> float:
    started = time.monotonic()
    async with service:
        await service.until_ready(_WHOLE_S)
        return time.monotonic() - started


async def _an_hour_back() -> Row:
    """A crash just before the next snapshot: all of the hour is read again."""
    say("state an hour old")
    names, seconds = coins(_COINS), (_BEFORE_MIN + _HOUR_MIN) * 60
    events = bars(names, _EXCHANGES, seconds, CLOCK.now_ms() - seconds * 1000)
    before, hour = _BEFORE_MIN * _A_MINUTE, _HOUR_MIN * _A_MINUTE
    async with filled(BARS, islice(events, before)) as broker:
        with tempfile.TemporaryDirectory() as folder:
            env = {"KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers}
            service = ServiceProcess("threshold_service", Path(folder), env)
            async with service:
                await service.until_ready()
                await pace_between(service, CONSUMED, before)
            await fill(broker, BARS, events)
            await _commit_all(broker)
            mine = await _again_s(service)
            others = await _read_s(broker, before + hour)
    return row(
        f"a detector's state back from snapshots an hour old, {_COINS} coins x 3 exchanges",
        mine,
        "s",
        f"bare aiokafka reading {before + hour:,} records, of which it reads {hour:,}",
        others,
        Goal(at_most=10),
    )


async def _commit_all(broker: KafkaSettings) -> None:
    """Commit what the group has not read, once it has no members any more."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.kafka_bootstrap_servers, group_id=_GROUP, enable_auto_commit=False
    )
    everywhere = [TopicPartition(BARS.name, number) for number in range(MARKET_PARTITIONS)]
    consumer.assign(everywhere)
    async with consumer:
        ends = await consumer.end_offsets(everywhere)
        now_ms = str(CLOCK.now_ms())

        async def committed() -> bool:
            try:
                await consumer.commit({w: OffsetAndMetadata(at, now_ms) for w, at in ends.items()})
            except KafkaError:
                return False
            return True

        await eventually(committed, _WHOLE_S)


async def _read_s(broker: KafkaSettings, records: int = _RECORDS) -> float:
    started, left = time.monotonic(), records
    consumer = AIOKafkaConsumer(
        BARS.name,
        bootstrap_servers=broker.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(_WHOLE_S), consumer:
        while left > 0:
            left -= sum(map(len, (await consumer.getmany(timeout_ms=250)).values()))
    return time.monotonic() - started
