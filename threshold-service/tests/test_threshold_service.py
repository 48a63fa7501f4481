"""What the service publishes, and what it keeps to itself."""

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from foreshock_kit.environment import load
from foreshock_kit.kafka import Record
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_schemas.events import Liquidation, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import LIQUIDATIONS, MARKET_STATS, SIGNALS, THRESHOLDS
from threshold_service import service
from threshold_service.domain.detection import Partitions
from threshold_service.domain.world import World
from threshold_service.settings import Settings

TOLD = service.told_by(load(Settings, {}), 0)
T0 = 1_781_622_000_000  # Tuesday 16 June 2026, 15:00 UTC


def stats(at_ms):
    return sample(
        MarketStats,
        event_id=f"stats:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        coin="SOL",
        price=150.0,
        market_cap_usd=50e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=1e9,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=0.05,
        volatility_ms=at_ms,
    )


def liquidation(second, usd=2e6):
    return Liquidation(
        event_id=f"liq:{second}",
        ts_event_ms=T0 + second * 1000,
        ts_recv_ms=T0 + second * 1000,
        exchange="binance",
        symbol="SOLUSDT",
        coin="SOL",
        position="long",
        price=150.0,
        size_coins=usd / 150,
        notional_usd=usd,
        coverage="sampled",
    )


async def detected(*records, owned=None):
    publisher = MemoryPublisher()
    clock = FakeClock()
    await service.detect(owned or Partitions(World(TOLD)), publisher, clock, records)
    return publisher


def record(offset, event, replayed=False):
    topic = MARKET_STATS if isinstance(event, MarketStats) else LIQUIDATIONS
    return Record(topic, 3, offset, event, replayed)


async def test_limits_and_signals_go_to_their_topics():
    publisher = await detected(record(0, stats(T0 - 60_000)), record(7, liquidation(0)))
    (limits,) = publisher.on(THRESHOLDS)
    (signal,) = publisher.on(SIGNALS)
    assert limits.single_liquidation_usd == pytest.approx(1e6)
    assert publisher.sent == [(SIGNALS, signal)]
    (evidence,) = signal.evidence
    assert (evidence.topic, evidence.partition, evidence.offset, evidence.event_id) == (
        "foreshock.liquidations.v1",
        3,
        7,
        "liq:0",
    )


async def test_signals_come_in_the_order_of_their_records():
    small, large = (
        replace(liquidation(second, usd), coin="ETH") for second, usd in ((0, 1.0), (2, 2e6))
    )
    publisher = await detected(record(0, small), record(1, liquidation(1)), record(2, large))
    assert [signal.coin for signal in publisher.on(SIGNALS)] == ["SOL", "ETH", "ETH"]


async def test_what_is_replayed_rebuilds_and_publishes_nothing():
    replayed = [record(0, stats(T0 - 60_000), replayed=True)]
    replayed += [record(n, liquidation(n), replayed=True) for n in range(2)]
    publisher = await detected(*replayed, record(2, liquidation(2)))
    assert publisher.records == [], "the same event as what was told before"
    (signal,) = (await detected(*replayed[:1], record(2, liquidation(2)))).on(SIGNALS)
    assert (signal.kind, signal.value) == ("liquidation", pytest.approx(2e6))


async def test_partitions_that_come_back_are_rebuilt_from_nothing():
    owned = Partitions(World(TOLD))
    first = [record(0, stats(T0 - 60_000)), record(1, liquidation(0))]
    assert len((await detected(*first, owned=owned)).on(SIGNALS)) == 1
    assert (await detected(record(2, liquidation(2)), owned=owned)).records == []
    owned.forget({3, 7})
    publisher = await detected(record(0, stats(T0 - 60_000), True), owned=owned)
    assert publisher.records == []
    publisher = await detected(record(2, liquidation(2)), owned=owned)
    assert [signal.kind for signal in publisher.on(SIGNALS)] == ["liquidation"]


async def test_signals_and_limits_are_counted():
    def counted(name, **labels):
        return REGISTRY.get_sample_value(f"foreshock_threshold_service_{name}", labels) or 0.0

    before = counted("signals_total", kind="liquidation"), counted("latency_seconds_count")
    limits = counted("thresholds_total", method="baseline_prd")
    await detected(record(0, stats(T0 - 60_000)), record(1, liquidation(0)))
    assert counted("signals_total", kind="liquidation") == before[0] + 1
    assert counted("latency_seconds_count") == before[1] + 1
    assert counted("thresholds_total", method="baseline_prd") == limits + 1


def test_coins_are_learning_until_their_usual_volume_is_known():
    owned = Partitions(World(TOLD))
    for partition, event in ((3, stats(T0)), (4, liquidation(0))):
        owned.on_event(event, Record(LIQUIDATIONS, partition, 0, event).evidence)
    assert owned.learning == 2
    owned.forget({3})
    assert owned.learning == 1


def test_flags_are_on_unless_told():
    told = {"ENABLE_DYNAMIC_THRESHOLDS": "false", "ENABLE_VOLUME_MONITORING": "false"}
    on, off = load(Settings, {}), load(Settings, told)
    assert (on.enable_dynamic_thresholds, on.enable_volume_monitoring) == (True, True)
    assert (off.enable_dynamic_thresholds, off.enable_volume_monitoring) == (False, False)
