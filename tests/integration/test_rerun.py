"""`foreshock replay --from` and `foreshock explain`, on what threshold-service wrote live."""

import asyncio
import json

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from foreshock_cli.main import main
from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_kit.testing.broker import broker
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Liquidation, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import LIQUIDATIONS, MARKET_STATS, SIGNALS

pytestmark = pytest.mark.broker

CLOCK = SystemClock()
COINS = ("BTC", "ETH", "SOL", "XRP")
LIQUIDATED = 39


def stats(coin, at_ms):
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


def liquidation(coin, number, at_ms):
    return sample(
        Liquidation,
        event_id=f"{coin}:{number}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        exchange="binance",
        coin=coin,
        position="long",
        notional_usd=[2e4, 3e5, 9e5][number % 3] if number < LIQUIDATED - 1 else 9e6,
        coverage="full",
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A broker, and the signals on it that a service has made of half an hour."""
    folder = tmp_path_factory.mktemp("rerun")
    with asyncio.Runner() as runner:
        opened = broker()
        address = runner.run(opened.__aenter__())
        try:
            yield address, *runner.run(detected(address, folder))
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def detected(address, folder):
    kafka = KafkaSettings(kafka_bootstrap_servers=address)
    await ensure_topics(kafka)
    from_ms = CLOCK.now_ms() - 1_800_000
    async with Publisher(kafka, "test", CLOCK) as publisher:
        for coin in COINS:
            await publisher.publish(MARKET_STATS, stats(coin, from_ms - 60_000))
        await publisher.flush()
        env = {"KAFKA_BOOTSTRAP_SERVERS": address}
        async with ServiceProcess("threshold_service", folder, env) as service:
            await service.until_ready()
            for number in range(LIQUIDATED):
                for coin in COINS:
                    event = liquidation(coin, number, from_ms + number * 40_000)
                    await publisher.publish(LIQUIDATIONS, event)
            await publisher.flush()
            await eventually(lambda: all_seen(address), 30)
            await service.stop()
    signals = [record.event for record in await records_on(address, SIGNALS)]
    return from_ms, signals


async def all_seen(address):
    """Return whether the last liquidation of each coin, which is large, has its signal."""
    signals = [record.event for record in await records_on(address, SIGNALS)]
    seen = {each.event_id for signal in signals for each in signal.evidence}
    return {f"{coin}:{LIQUIDATED - 1}" for coin in COINS} <= seen


def test_a_replay_says_what_was_said_live(live, tmp_path, capfd):
    address, from_ms, signals = live
    out = tmp_path / "signals"
    words = ["--from", str(from_ms), "--kafka", address]
    assert main(["replay", *words, "--out", str(out), "--compare"]) == 0
    lines = out.read_text().splitlines()
    assert {json.loads(line)["event_id"] for line in lines} == {s.event_id for s in signals}
    assert f"{len(lines)} replayed, {len(lines)} live: no differences" in capfd.readouterr().out
    assert main(["replay", *words]) == 0
    assert sorted(capfd.readouterr().out.splitlines()) == sorted(lines)


def test_a_signal_that_nobody_would_raise_again_is_a_difference(live, capfd):
    address, from_ms, signals = live
    at_ms = from_ms + 10_000
    foreign = msgspec.structs.replace(
        signals[0], event_id="foreign", kind="oi_explosion", ts_recv_ms=at_ms
    )
    later_ms = from_ms + 20_000

    async def write():
        kafka = KafkaSettings(kafka_bootstrap_servers=address)
        async with Publisher(kafka, "test", CLOCK) as publisher:
            await publisher.send(SIGNALS, foreign)

    asyncio.run(write())
    span = ["--from", str(from_ms), "--to", str(later_ms), "--kafka", address]
    assert main(["replay", *span, "--compare"]) == 1
    out = capfd.readouterr().out
    assert "missing  foreign " in out
    assert out.endswith(": 1 difference\n")
    after = ["--from", str(later_ms), "--kafka", address, "--compare"]
    assert main(["replay", *after]) == 0


def test_what_if_shows_how_many_more_there_would_be(live, capfd):
    address, from_ms, _ = live
    words = ["--from", str(from_ms + 30_000), "--kafka", address, "--set"]
    assert main(["replay", *words, "dynamic_thresholds=false"]) == 0
    out = capfd.readouterr().out
    assert "liquidation" in out
    assert "+" in out
    assert main(["replay", *words, "dynamic_treshold=false"]) == 1
    told = capfd.readouterr().err
    assert "unknown field `dynamic_treshold`" in told
    assert "there are: dynamic_thresholds, volume_monitoring, budgets.volume_spike" in told
    assert main(["replay", *words, "budgets.cascade=-1"]) == 1
    assert ">= 0" in capfd.readouterr().err


def test_what_if_counts_by_the_days_that_there_are(live, capfd):
    address, _, signals = live
    words = ["--kafka", address, "--set", "dynamic_thresholds=true"]
    assert main(["replay", "--from", "-10d", *words]) == 0
    out = capfd.readouterr().out
    assert (
        "liquidation and cascade: counted over 0.02 days, not the 10.00 asked for: Kafka has" in out
    )
    told = {each.event_id for each in signals if each.kind == "liquidation"}
    rows = (line.split() for line in out.splitlines())
    was = next(float(row[1]) for row in rows if row[:1] == ["liquidation"] and len(row) == 4)
    days = (LIQUIDATED - 1) * 40 / 86_400
    assert was == pytest.approx(len(told) / days, rel=0.01)


@pytest.mark.parametrize("span", [("1000", "2000"), ("2020-01-01", "2020-01-02")])
def test_a_time_of_which_nothing_is_known_is_told(live, capfd, span):
    from_t, to_t = span
    words = ["--from", from_t, "--to", to_t, "--kafka", live[0], "--compare"]
    assert main(["replay", *words]) == 1
    assert "nothing to conclude from between" in capfd.readouterr().err


def test_all_that_there_is_may_be_asked_for(live, capfd):
    address, _, signals = live
    assert main(["replay", "--from", "0", "--to", "2999-01-01", "--kafka", address]) == 0
    assert len(capfd.readouterr().out.splitlines()) == len({s.event_id for s in signals})


def test_a_signal_is_explained_by_how_its_id_begins(live, capfd):
    address, _, signals = live
    signal = signals[-1]
    assert main(["explain", signal.event_id[:-4], "--kafka", address]) == 0
    out = capfd.readouterr().out
    assert signal.headline in out
    assert f"id           {signal.event_id}" in out
    for each in signal.evidence:
        where = f"partition {each.partition} offsets {each.offset} to {each.offset}"
        assert f"input        {each.topic} {where}, all there" in out
    assert main(["explain", signal.event_id, "--kafka", address, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["signal"]["event_id"] == signal.event_id
    assert len(told["inputs"]) == len(signal.evidence)


def test_an_id_that_nobody_has_is_said_so(live, capfd):
    assert main(["explain", "nobody", "--kafka", live[0]]) == 1
    assert "has an id that begins with 'nobody'" in capfd.readouterr().err


@pytest.mark.parametrize("command", [["explain", "x"], ["replay", "--from", "-2h"]])
def test_without_a_broker_each_says_that_there_is_none(command, capfd):
    assert main([*command, "--kafka", "127.0.0.1:1"]) == 1
    assert "no Kafka broker reachable" in capfd.readouterr().err


async def expire(address, below):
    kafka = KafkaSettings(kafka_bootstrap_servers=address)
    async with admin_client(kafka) as admin:
        await admin.delete_records(
            {TopicPartition(LIQUIDATIONS.name, where): RecordsToDelete(at) for where, at in below}
        )


def test_records_that_have_expired_are_told(live, capfd):
    address, _, signals = live
    signal = signals[0]
    asyncio.run(expire(address, {(e.partition, e.offset + 1) for e in signal.evidence}))
    assert main(["explain", signal.event_id, "--kafka", address]) == 1
    told = capfd.readouterr()
    assert "1 expired" in told.out
    assert "of its records have expired" in told.err
