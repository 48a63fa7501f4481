"""threshold-service on a full topic, against Quix Streams keeping one sum a coin on the same."""

import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from bench.harness import Goal, Row, median, row, say
from bench.kafka import CLOCK, filled
from bench.market import bars, coins, liquidations
from bench.measuring import Pace, Reference, pace_between, reference

from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Event
from foreshock_schemas.registry import newest
from foreshock_schemas.topics import BARS, LIQUIDATIONS, Topic

EXCHANGES: Final = ("binance", "bybit", "okx")
RECORDS: Final = 200_000
_JOBS: Final = {"plain sum": RECORDS, "sliding sum": 10_000}
"""What Quix Streams does, and with how many: it takes 2,000 sliding sums a second."""

_REPEATS: Final = 3
CONSUMED: Final = "foreshock_kafka_records_consumed_total"


async def run() -> list[Row]:
    """Compare events per CPU second, on bars and on liquidations."""
    names = coins(80)
    seconds = 1 + RECORDS // (len(names) * len(EXCHANGES))
    now_ms = CLOCK.now_ms()
    return [
        *await _compared(BARS, bars(names, EXCHANGES, seconds, now_ms - seconds * 1000)),
        *await _compared(LIQUIDATIONS, liquidations(names, RECORDS, now_ms - RECORDS * 50)),
    ]


async def _compared(topic: Topic, events: Iterable[Event]) -> list[Row]:
    plural = topic.name.split(".")[1]
    ready = list(islice(events, RECORDS))
    mine: list[Pace] = []
    others: dict[str, list[float]] = {job: [] for job in _JOBS}
    async with reference("quix") as quix:
        for turn in range(1, _REPEATS + 1):
            async with filled(topic, ready) as broker:
                say(f"threshold-service on {plural}: {turn} of {_REPEATS}")
                mine.append(await service_pace(broker, topic, len(ready)))
                for job in _JOBS:
                    say(f"Quix Streams on {plural}, {job}: {turn} of {_REPEATS}")
                    others[job].append(await _quix_pace(broker, quix, topic, job))
    return [
        row(
            f"threshold-service, {plural}, beside a {job}",
            median([pace.cpu for pace in mine]),
            "events per CPU second",
            f"Quix Streams, a {job} a coin",
            median(others[job]),
            Goal(at_least=60_000, ratio_at_least=4),
        )
        for job in _JOBS
    ]


async def service_pace(broker: KafkaSettings, topic: Topic, records: int) -> Pace:
    """Let a fresh group of the service read the topic whole."""
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers,
        "LOG_LEVEL": "WARNING",
    }
    with tempfile.TemporaryDirectory() as folder:
        async with ServiceProcess("threshold_service", Path(folder), env) as service:
            await service.until_ready()
            return await pace_between(service, CONSUMED, records)


async def _quix_pace(broker: KafkaSettings, quix: Reference, topic: Topic, job: str) -> float:
    """Return Quix Streams' events per CPU second, its commit included."""
    answer = await quix.ask(
        {
            "kafka": broker.kafka_bootstrap_servers,
            "topic": topic.name,
            "schema": newest()[f"{topic.name}-value"].schema,
            "records": _JOBS[job],
            "job": job,
        }
    )
    return _JOBS[job] / answer["cpu_s"]
