"""Detectors whose members come, go, freeze and die say what one alone, and a replay, would say."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_kit.testing.apache import apache_kafka
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import (
    Bar,
    DetectorSettings,
    Event,
    Liquidation,
    MarketStats,
    OpenInterest,
    Signal,
)
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import (
    BARS,
    FEED_HEALTH,
    KLINES,
    LIQUIDATIONS,
    MARKET_STATS,
    OPEN_INTEREST,
    SETTINGS,
    SIGNALS,
    STATE,
    THRESHOLDS,
    Topic,
)

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]

COINS = tuple(f"COIN{number}" for number in range(40))
ROUNDS = 24
ROUND_MS = 40 * 60_000
BURST_MS = 17_000
COMMITTED_S = 1.5
MEMBERS_S = 240
MARKET = (BARS, KLINES, LIQUIDATIONS, MARKET_STATS, OPEN_INTEREST)
GROUP = "foreshock-threshold-service"

Planted = tuple[Topic, Event]


def market(begin_ms: int) -> Iterator[list[Planted]]:
    """Yield rounds of 40 minutes: bursts of seeded size, and quiet longer than any window."""
    chance = random.Random(4)
    for number in range(ROUNDS):
        at_ms = begin_ms + number * ROUND_MS
        made = [planted for coin in COINS for planted in burst(coin, at_ms, chance)]
        yield sorted(made, key=lambda planted: planted[1].ts_recv_ms)


def burst(coin: str, begin_ms: int, chance: random.Random) -> Iterator[Planted]:
    heat, position = chance.lognormvariate(0, 1), chance.choice(["long", "short"])
    contracts = 1e6
    for number in range(16):
        at_ms = begin_ms + number * 1_000 + chance.randrange(1_000)
        common = {"coin": coin, "ts_event_ms": at_ms, "ts_recv_ms": at_ms, "exchange": "binance"}
        usd = heat * chance.lognormvariate(11, 1)
        yield (
            LIQUIDATIONS,
            sample(
                Liquidation,
                event_id=f"{coin}:liquidation:{at_ms}",
                position=position,
                notional_usd=usd,
                coverage="full",
                **common,
            ),
        )
        yield (
            BARS,
            sample(
                Bar,
                event_id=f"{coin}:bar:{at_ms}",
                notional_usd=usd * 20,
                taker_buy_usd=usd * 5,
                largest_cluster_usd=usd,
                mark_price=100.0,
                **common,
            ),
        )
    for minute in range(20):
        at_ms = begin_ms + 60_000 * minute
        contracts *= 1 + heat / 40 if minute > 16 else 1
        yield (
            OPEN_INTEREST,
            sample(
                OpenInterest,
                event_id=f"{coin}:oi:{at_ms}",
                ts_event_ms=at_ms,
                ts_recv_ms=at_ms,
                exchange="binance",
                symbol=coin,
                coin=coin,
                open_interest_coins=contracts,
                open_interest_usd=contracts * 100,
                mark_price=100.0,
            ),
        )


def stats(coin: str, at_ms: int) -> MarketStats:
    return sample(
        MarketStats,
        event_id=f"{coin}:stats",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        coin=coin,
        market_cap_usd=5e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=2e8,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=0.05,
        volatility_ms=at_ms,
    )


def told(at_ms: int, **budgets: float) -> DetectorSettings:
    return DetectorSettings(
        event_id=f"settings:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        scope="*",
        dynamic_thresholds=True,
        volume_monitoring=True,
        budgets=budgets,
        changed_by="user",
    )


class Bench:
    """A broker of its own with the market on it, and members of the threshold service."""

    def __init__(self, kafka: KafkaSettings, folder: Path) -> None:
        self.kafka, self._folder = kafka, folder
        self._stack = AsyncExitStack()

    async def __aenter__(self):
        await ensure_topics(
            self.kafka, [*MARKET, FEED_HEALTH, SETTINGS, SIGNALS, STATE, THRESHOLDS]
        )
        return self

    async def __aexit__(self, *error):
        return await self._stack.__aexit__(*error)

    async def member(self, number: int) -> ServiceProcess:
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.kafka_bootstrap_servers,
            "INSTANCE_ID": str(number),
        }
        process = ServiceProcess("threshold_service", self._folder / str(number), env)
        await self._stack.enter_async_context(process)
        await process.until_ready(60)
        return process

    async def write(self, events: Iterable[Planted]) -> None:
        async with Publisher(self.kafka, "test", SystemClock()) as publisher:
            for topic, event in events:
                await publisher.publish(topic, event)

    async def plant(self, rounds: list[list[Planted]]) -> None:
        """Write the rounds, each burst and what follows it only when what was before is read.

        In real time half a minute lies between them; here forty minutes pass in a second.
        """
        for each in rounds:
            begin_ms = each[0][1].ts_recv_ms
            for _, part in groupby(each, key=lambda p: p[1].ts_recv_ms - begin_ms > BURST_MS):
                await self.write(part)
                await self.settled()

    async def settled(self) -> None:
        """Wait until nobody reads any more: whoever is alive commits once a second."""
        before = -1
        while (left := await self.left()) not in {0, before}:
            before = left
            await asyncio.sleep(COMMITTED_S)

    async def left(self) -> int:
        """Return how many records the group has not committed yet."""
        read = [TopicPartition(t.name, n) for t in MARKET for n in range(t.partitions)]
        async with admin_client(self.kafka) as admin:
            committed = await admin.list_consumer_group_offsets(GROUP, partitions=read)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka.kafka_bootstrap_servers)
        async with consumer:
            ends = await consumer.end_offsets(read)
        return sum(end - max(0, committed[where].offset) for where, end in ends.items())

    async def until_done(self) -> None:
        async def done() -> bool:
            return await self.left() == 0

        await eventually(done, MEMBERS_S)

    async def replayed(self, from_ms: int) -> list[Signal]:
        """Return what the service concludes once more; it says itself where live differs."""
        file = self._folder / "replayed"
        words = ["replay", "--from", str(from_ms), "--out", str(file), "--compare"]
        kafka = ["--kafka", self.kafka.kafka_bootstrap_servers]
        command = [sys.executable, "-m", "foreshock_cli", *words, *kafka]
        replay = await asyncio.create_subprocess_exec(*command)
        assert await replay.wait() == 0
        return [msgspec.json.decode(line, type=Signal) for line in file.read_bytes().splitlines()]

    async def signals(self) -> list[Signal]:
        records = await records_on(self.kafka.kafka_bootstrap_servers, SIGNALS)
        return [record.event for record in records]


@asynccontextmanager
async def bench(folder: Path, begin_ms: int) -> AsyncIterator[Bench]:
    async with apache_kafka() as broker, Bench(broker.settings, folder) as made:
        change_ms = begin_ms + ROUND_MS * ROUNDS // 2
        settings = told(begin_ms - ROUND_MS), told(change_ms, liquidation=1.0, volume_spike=9.0)
        await made.write((SETTINGS, each) for each in settings)
        await made.write((MARKET_STATS, stats(coin, begin_ms - ROUND_MS)) for coin in COINS)
        yield made


async def alone(folder: Path, begin_ms: int, rounds) -> list[Signal]:
    async with bench(folder, begin_ms) as made:
        await made.member(0)
        await made.plant(rounds)
        await made.until_done()
        return await made.signals()


async def together(folder: Path, begin_ms: int, rounds) -> tuple[list[Signal], list[Signal]]:
    """Return what was said live, with members that come and go, and what a replay says."""
    parts = [rounds[at : at + ROUNDS // 6] for at in range(0, ROUNDS, ROUNDS // 6)]
    async with bench(folder, begin_ms) as made:
        first = await made.member(0)
        await made.plant(parts[0])
        second = await made.member(1)
        await made.plant(parts[1])
        third = await made.member(2)
        await made.plant(parts[2])
        await second.kill()
        await made.plant(parts[3])
        await second.start()
        third.send(signal.SIGSTOP)
        await made.plant(parts[4])
        await made.until_done()
        third.send(signal.SIGCONT)
        await made.plant(parts[5])
        await first.stop()
        await made.until_done()
        return await made.signals(), await made.replayed(begin_ms)


async def test_signals_are_those_of_one_member_alone(tmp_path):
    begin_ms = SystemClock().now_ms() - (ROUNDS + 1) * ROUND_MS
    rounds = list(market(begin_ms))
    async with asyncio.timeout(2 * MEMBERS_S):
        expected = await alone(tmp_path / "alone", begin_ms, rounds)
        found, replayed = await together(tmp_path / "together", begin_ms, rounds)
    kinds = {each.kind for each in expected}
    assert kinds == {"liquidation", "cascade", "volume_spike", "oi_explosion"}
    assert len(expected) > 200
    assert len({each.why.settings_id for each in expected if each.why}) == 2
    assert len({each.event_id for each in expected}) == len(expected)
    assert {each.event_id: each for each in found} == {each.event_id: each for each in expected}
    assert {each.event_id: each for each in replayed} == {each.event_id: each for each in expected}
    assert len(replayed) == len(expected)
