"""Which contracts are followed, and the sockets that follow from it."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from websockets.asyncio.server import serve

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.feeds import follow_feeds
from foreshock_kit.kafka import Publisher
from foreshock_kit.service import Context
from foreshock_kit.testing import MemoryPublisher, eventually
from foreshock_kit.testing.feed import Feed
from foreshock_kit.universe import Universe, UniverseWatch
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import FEED_HEALTH, INSTRUMENTS, MARKET_STATS

NOW = SystemClock().now_ms()
"""Real time, since a broker deletes records that are older than their topic's retention."""


def contract(coin, *, exchange="binance", status="trading", size=1.0):
    return sample(
        Instrument,
        ts_recv_ms=NOW,
        exchange=exchange,
        symbol=f"{coin}USDT",
        coin=coin,
        contract_size=size,
        status=status,
    )


def stats(coin, *, in_universe=True):
    return sample(
        MarketStats,
        ts_recv_ms=NOW,
        coin=coin,
        in_universe=in_universe,
    )


def test_contracts_of_coins_in_the_universe_that_trade_are_followed():
    universe = Universe()
    for event in (
        contract("ETH"),
        contract("BTC"),
        contract("OLD", status="closed"),
        contract("BTC", exchange="okx"),
        contract("OUT"),
        msgspec.structs.replace(contract("BTC"), symbol="BTCUSDC", followed=False),
        stats("BTC"),
        stats("ETH"),
        stats("OLD"),
    ):
        universe.apply(event)
    assert [c.symbol for c in universe.contracts("binance")] == ["BTCUSDT", "ETHUSDT"]
    assert "BTC" in universe
    assert universe.follows("binance", "BTCUSDT")
    for symbol in ("BTCUSDC", "OUTUSDT", "NEWUSDT"):
        assert not universe.follows("binance", symbol)
    universe.apply(stats("BTC", in_universe=False))
    assert [c.symbol for c in universe.contracts("binance")] == ["ETHUSDT"]
    assert "BTC" not in universe


class Desk:
    exchange = "binance"
    channel = "trades"

    def __init__(self, url):
        self.url = url
        self.opened = []
        self.frames = []

    def feeds(self, contracts):
        symbols = [c.symbol for c in contracts]
        self.opened.append(symbols)
        return [Feed(url=self.url, hello=(",".join(symbols),))] if symbols else []

    def learn(self, contracts):
        self.known = contracts

    async def accompany(self, teller):
        self.teller = teller

    def judge(self, state, reason, now_ms):
        return state, reason

    async def on_frame(self, frame, since_ms):
        self.frames.append(frame)
        return "market"


@asynccontextmanager
async def echo():
    async def talk(socket):
        async for word in socket:
            await socket.send(word)

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.broker
async def test_sockets_are_opened_anew_when_the_universe_changes(kafka):
    await ensure_topics(kafka, [INSTRUMENTS, MARKET_STATS])
    context, watch, told = Context("test"), UniverseWatch(), MemoryPublisher()
    async with (
        asyncio.timeout(30),
        echo() as url,
        Publisher(kafka, "test", context.clock) as publisher,
        asyncio.TaskGroup() as group,
    ):
        desk = Desk(url)
        await publisher.publish(INSTRUMENTS, contract("BTC"))
        await publisher.publish(INSTRUMENTS, contract("ETH"))
        await publisher.publish(MARKET_STATS, stats("BTC"))
        await publisher.flush()
        tasks = [
            group.create_task(watch.run(kafka, context, publisher)),
            group.create_task(follow_feeds(context, watch, desk, told)),
        ]
        await eventually(lambda: b"BTCUSDT" in desk.frames)
        assert context.health.ready
        await publisher.publish(MARKET_STATS, stats("ETH"))
        await eventually(lambda: b"BTCUSDT,ETHUSDT" in desk.frames)
        for task in tasks:
            task.cancel()
    assert desk.opened == [["BTCUSDT"], ["BTCUSDT", "ETHUSDT"]]
    assert [event.state for event in told.on(FEED_HEALTH)] == ["LIVE"]


@pytest.mark.broker
async def test_a_universe_with_news_all_the_time_is_followed_nevertheless(kafka, monkeypatch):
    monkeypatch.setattr("foreshock_kit.universe._SETTLE_AT_MOST_S", 1.0)
    await ensure_topics(kafka, [INSTRUMENTS, MARKET_STATS])
    context, watch = Context("test"), UniverseWatch()
    async with (
        asyncio.timeout(30),
        Publisher(kafka, "test", context.clock) as publisher,
        asyncio.TaskGroup() as group,
    ):

        async def tell_without_end():
            while True:
                await publisher.publish(INSTRUMENTS, contract("NOISY"))
                await publisher.publish(MARKET_STATS, stats("NOISY"))
                await asyncio.sleep(0.05)

        waiting = group.create_task(watch.contracts_other_than("binance", ()))
        tasks = [
            group.create_task(watch.run(kafka, context, publisher)),
            group.create_task(tell_without_end()),
        ]
        assert "NOISYUSDT" in [each.symbol for each in await waiting]
        for task in tasks:
            task.cancel()
