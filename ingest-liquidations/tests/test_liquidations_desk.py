"""From a frame to a record on `foreshock.liquidations.v1`, with a publisher in memory."""

import json

import pytest
from prometheus_client import REGISTRY

from foreshock_exchanges import load
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_kit.universe import Universe
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import LIQUIDATIONS
from ingest_liquidations.domain.witness import Witness
from ingest_liquidations.service import LiquidationDesk

NOW = 1_790_000_000_000


def contract(coin):
    return sample(
        Instrument,
        exchange="binance",
        symbol=f"{coin}USDT",
        coin=coin,
        status="trading",
    )


def frame(symbol, price="100", size="3"):
    order = {"s": symbol, "S": "SELL", "ap": price, "X": "FILLED", "z": size, "T": NOW - 1_000}
    return json.dumps({"e": "forceOrder", "E": NOW, "o": order}, separators=(",", ":")).encode()


def following(coin):
    universe = Universe()
    universe.apply(sample(MarketStats, coin=coin))
    universe.apply(contract(coin))
    return universe


@pytest.fixture
def publisher():
    return MemoryPublisher()


@pytest.fixture
def desk(publisher):
    made = LiquidationDesk(
        load("binance"),
        "wss://host",
        Witness(["binance"]),
        following("BTC"),
        publisher,
        FakeClock(NOW),
    )
    made.feeds([contract("BTC")])
    return made


def not_followed():
    name = "foreshock_ingest_liquidations_not_followed_total"
    return REGISTRY.get_sample_value(name, {"exchange": "binance"})


async def test_a_liquidation_of_a_coin_that_is_followed_is_published(desk, publisher):
    assert await desk.on_frame(frame("BTCUSDT"), 0) == "market"
    (event,) = publisher.on(LIQUIDATIONS)
    assert (event.coin, event.position, event.notional_usd) == ("BTC", "long", 300.0)
    assert event.ts_recv_ms == NOW


async def test_others_are_counted_and_prove_that_the_feed_lives(desk, publisher):
    before = not_followed()
    assert await desk.on_frame(frame("ETHUSDT"), 0) == "market"
    assert not publisher.records
    assert not_followed() == before + 1


async def test_a_clock_that_is_ahead_is_why_nothing_comes_for_a_minute(desk):
    ahead = frame("BTCUSDT").replace(b'"T":%d' % (NOW - 1_000), b'"T":%d' % (NOW + 9_000))
    assert desk.judge("DOWN", "no market frame", NOW) == ("DOWN", "no market frame")
    assert await desk.on_frame(ahead, 0) == "other"
    why = "frames refused: their clock is 9 s ahead of ours"
    assert desk.judge("DOWN", "no market frame", NOW + 60_000) == ("DOWN", why)
    assert desk.judge("DOWN", "no route", NOW + 60_001) == ("DOWN", "no route")


async def test_marks_prove_that_the_feed_lives_and_make_no_record(desk, publisher):
    mark = {"e": "markPriceUpdate", "E": NOW, "s": "BTCUSDT", "p": "100", "i": "100"}
    assert await desk.on_frame(json.dumps([mark]).encode(), 0) == "market"
    assert not publisher.records


@pytest.mark.parametrize("raw", [b'{"result":null,"id":1}', b"<html>", frame("BTCUSDT", size="0")])
async def test_what_is_no_market_data_proves_nothing(desk, publisher, raw):
    assert await desk.on_frame(raw, 0) == "other"
    assert not publisher.records


async def test_a_repeat_is_published_once(desk, publisher):
    for _ in range(3):
        await desk.on_frame(frame("BTCUSDT"), 0)
    assert len(publisher.records) == 1
    assert ("duplicates", "", 2) in list(desk.counts())


def test_one_socket_carries_the_liquidations_of_all(desk):
    (feed,) = desk.feeds([contract("BTC"), contract("ETH")])
    assert feed.url == "wss://host/market/ws"
    assert "!forceOrder@arr" in feed.hello[0]
