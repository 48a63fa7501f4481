"""A detector that dies minutes after its first start has not learned in vain."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_kit.testing.broker import broker
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Bar, Kline, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import BARS, KLINES, MARKET_STATS, SIGNALS, STATE

pytestmark = pytest.mark.broker

CLOCK = SystemClock()
COIN = "SOL"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAILY_USD = 2e8
BAR_S = 5
LEARNED_MIN = 6


def common(at_ms):
    return {"ts_event_ms": at_ms, "ts_recv_ms": at_ms, "exchange": "binance", "coin": COIN}


def stats(at_ms):
    fields = common(at_ms)
    del fields["exchange"]
    return sample(
        MarketStats,
        event_id="stats",
        market_cap_usd=5e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=DAILY_USD,
        volume_days=30,
        volume_ms=at_ms,
        **fields,
    )


def candle(hour, read_ms):
    return sample(
        Kline,
        **common(read_ms)
        | {
            "event_id": f"candle:{hour}",
            "interval": "1h",
            "start_ms": read_ms - hour * HOUR_MS,
            "ts_event_ms": read_ms - (hour - 1) * HOUR_MS,
            "notional_usd": DAILY_USD / 24,
        },
    )


def minute_of_bars(at_ms, times=1.0):
    for second in range(0, 60, BAR_S):
        end_ms = at_ms + second * 1_000
        yield sample(
            Bar,
            event_id=f"bar:{end_ms}",
            start_ms=end_ms - BAR_S * 1_000,
            notional_usd=DAILY_USD / 86_400 * BAR_S * times,
            late_notional_usd=0.0,
            **common(end_ms),
        )


class Market:
    """A broker with a coin's history on it, and bars that come a minute at a time."""

    def __init__(self, kafka, publisher, begin_ms):
        self._kafka, self._publisher, self._now_ms = kafka, publisher, begin_ms
        self._learned_ms = begin_ms + LEARNED_MIN * MINUTE_MS

    async def begin(self):
        before_ms = self._now_ms - MINUTE_MS
        await self._publisher.send(MARKET_STATS, stats(before_ms))
        for hour in range(36, 0, -1):
            await self._publisher.send(KLINES, candle(hour, before_ms))

    async def a_minute(self, times=1.0):
        for bar in minute_of_bars(self._now_ms, times):
            await self._publisher.publish(BARS, bar)
        await self._publisher.flush()
        self._now_ms += MINUTE_MS

    async def on(self, topic):
        records = await records_on(self._kafka.kafka_bootstrap_servers, topic)
        return [record.event for record in records]

    async def kept(self):
        """Return the snapshots of a state that has learned, after one more minute."""
        await self.a_minute()
        return [each for each in await self.on(STATE) if each.ts_event_ms >= self._learned_ms]

    async def lose(self, snapshot):
        """Delete what the snapshot holds of the topics that are kept for minutes only."""
        logs = ((*log.rpartition(":"), at) for log, at in snapshot.offsets.items())
        short = {
            TopicPartition(topic, int(partition)): RecordsToDelete(at)
            for topic, _, partition, at in logs
            if topic in {BARS.name, KLINES.name}
        }
        assert len(short) == 2
        async with admin_client(self._kafka) as admin:
            await admin.delete_records(short)


async def test_what_was_learned_outlives_a_kill_though_the_topics_be_short(tmp_path):
    async with broker() as address:
        kafka = KafkaSettings(kafka_bootstrap_servers=address)
        await ensure_topics(kafka)
        service = ServiceProcess(
            "threshold_service", tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": address}
        )
        async with Publisher(kafka, "test", CLOCK) as publisher, service:
            market = Market(kafka, publisher, CLOCK.now_ms() - HOUR_MS)
            await market.begin()
            await service.until_ready()
            await eventually(market.kept, 30)
            await service.kill()
            await market.lose((await market.kept())[-1])
            await service.start()
            await service.until_ready()
            await market.a_minute(times=20.0)
            await eventually(lambda: market.on(SIGNALS), 30)
            signals = await market.on(SIGNALS)
    assert {(each.kind, each.method) for each in signals} == {("volume_spike", "adaptive")}
