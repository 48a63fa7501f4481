"""The poller against hosts that answer, refuse and fail, with a publisher in memory."""

import asyncio
import json

import httpx
import pytest
from prometheus_client import REGISTRY

from foreshock_exchanges import load
from foreshock_kit.backoff import Backoff
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Host, Limit
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_schemas.topics import (
    FEED_HEALTH,
    INSTRUMENTS,
    KLINES,
    MARKET_STATS,
    OPEN_INTEREST,
)
from oi_poller.domain.market import Market
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import Poller
from oi_poller.edge.venue import Venue

HOUR = 3_600_000
NOW = 1_790_000_000_000 - 1_790_000_000_000 % HOUR + 60_000
COINS = {"BTC": (80_000.0, 8e9), "ETH": (3_000.0, 4e9), "DOGE": (0.1, 1e9)}


class Binance:
    """Binance's REST as far as the poller asks.

    Paths in `failing` answer 500, contracts in `refused` 400; history is answered while `open`.
    """

    def __init__(self, clock):
        self.clock = clock
        self.failing = set()
        self.refused = set()
        self.open = asyncio.Event()
        self.open.set()
        self.asked = []

    async def __call__(self, request):
        path = request.url.path
        if path.endswith("klines"):
            await self.open.wait()
        self.asked.append((path, dict(request.url.params)))
        if path in self.failing:
            return httpx.Response(500, text="trouble")
        if request.url.params.get("symbol") in self.refused:
            return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
        return httpx.Response(200, json=self.body(path, dict(request.url.params)))

    def count(self, path):
        return sum(asked == path for asked, _ in self.asked)

    def body(self, path, params):
        now_ms, symbol = self.clock.now_ms(), params.get("symbol", "")
        coin = symbol.removesuffix("USDT")
        match path.rpartition("/")[2]:
            case "exchangeInfo":
                return {"symbols": [contract(each) for each in COINS]}
            case "fundingInfo":
                return [{"symbol": "DOGEUSDT", "fundingIntervalHours": 4}]
            case "24hr":
                return [ticker(each, now_ms) for each in COINS]
            case "premiumIndex":
                return [premium(each, now_ms) for each in COINS]
            case "openInterest":
                return {"symbol": symbol, "openInterest": "1000", "time": now_ms}
            case "klines":
                hours = range(int(params["limit"]) - 1, -1, -1)
                return [candle(coin, hour, now_ms) for hour in hours]
            case "openInterestHist":
                supply = "19900000" if coin == "BTC" else "0"
                row = {"symbol": symbol, "timestamp": now_ms, "CMCCirculatingSupply": supply}
                return [row]
        raise AssertionError(path)


def contract(coin):
    return {
        "symbol": f"{coin}USDT",
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": coin,
        "quoteAsset": "USDT",
        "underlyingType": "COIN",
        "filters": [],
    }


def ticker(coin, now_ms):
    price, volume = COINS[coin]
    return {
        "symbol": f"{coin}USDT",
        "lastPrice": str(price),
        "priceChangePercent": "1.5",
        "quoteVolume": str(volume),
        "closeTime": now_ms,
    }


def premium(coin, now_ms):
    price = str(COINS[coin][0])
    return {
        "symbol": f"{coin}USDT",
        "markPrice": price,
        "indexPrice": price,
        "lastFundingRate": "0.0001",
        "nextFundingTime": now_ms + HOUR,
        "time": now_ms,
    }


def candle(coin, hours_ago, now_ms):
    start, price = now_ms - now_ms % HOUR - hours_ago * HOUR, COINS[coin][0]
    close = price * (1.01 if hours_ago % 2 else 1.0)
    numbers = [price, close * 1.01, price * 0.99, close, 1.0]
    money = COINS[coin][1] / 24
    return [start, *map(str, numbers), start + HOUR - 1, str(money), 10, "1", str(money / 2), "0"]


PAPRIKA = [
    {"symbol": "ETH", "quotes": {"USD": {"price": 3_001.0, "market_cap": 3.6e11}}},
    {"symbol": "ETH", "quotes": {"USD": {"price": 0.01, "market_cap": 1e6}}},
    {"symbol": "NONE", "quotes": {"USD": {"price": 1.0, "market_cap": None}}},
]
GECKO = [{"symbol": "doge", "current_price": 0.1, "market_cap": 1.5e10}]


class World:
    def __init__(self, order=("binance", "coinpaprika", "coingecko", "bundled")):
        self.clock = FakeClock(NOW)
        self.binance = Binance(self.clock)
        self.publisher = MemoryPublisher()
        self.paprika = httpx.Response(200, text=json.dumps(PAPRIKA))
        self.gecko = httpx.Response(200, text=json.dumps(GECKO))
        venue = Venue(load("binance"), self.client(self.binance), self.clock)
        hosts = {
            "coinpaprika": self.client(lambda _: self.paprika),
            "coingecko": self.client(lambda _: self.gecko),
        }
        caps = MarketCaps(order, [venue], hosts)
        market = Market(["binance"], (), 2)
        self.poller = Poller([venue], caps, market, self.publisher, self.clock)
        (self.venue,) = self.poller.polls

    def client(self, answer):
        return HttpClient(
            "https://host.example",
            Host(Limit(weight=10_000, window_s=60.0), self.clock),
            transport=httpx.MockTransport(answer),
        )

    async def poll(self):
        before = len(self.publisher.records)
        await self.poller.poll(self.venue)
        await self.poller.catch_up()
        return self.publisher.records[before:]


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr("foreshock_kit.http._BACKOFF", Backoff(first_s=0.0))
    return World()


def on(records, topic):
    return [event for where, event in records if where is topic]


async def test_the_first_poll_tells_all_there_is_to_know(world):
    told = await world.poll()
    assert {i.symbol for i in on(told, INSTRUMENTS)} == {"BTCUSDT", "ETHUSDT", "DOGEUSDT"}
    readings = {r.coin: r for r in on(told, OPEN_INTEREST)}
    assert set(readings) == {"BTC", "ETH"}, "the two most traded"
    assert readings["BTC"].open_interest_usd == pytest.approx(8e7)
    assert readings["BTC"].funding_interval_h == 8.0
    klines = on(told, KLINES)
    assert max(k.ts_event_ms for k in klines) <= NOW, "the unfinished hour is not told"
    stats = {s.coin: s for s in on(told, MARKET_STATS)}
    assert (stats["BTC"].market_cap_source, stats["ETH"].market_cap_source) == (
        "binance",
        "coinpaprika",
    )
    assert stats["BTC"].market_cap_usd == pytest.approx(19.9e6 * 80_000)
    assert stats["ETH"].market_cap_usd == pytest.approx(3.6e11), "the coin with that price"
    assert stats["BTC"].avg_daily_volume_usd == pytest.approx(8e9, rel=0.05)
    assert (stats["BTC"].volume_days, stats["BTC"].volatility_daily > 0.01) == (30, True)
    assert world.publisher.flushed == len(world.publisher.records)


async def test_statistics_come_after_what_they_are_made_of(world):
    told = [topic for topic, _ in await world.poll()]
    assert told.index(MARKET_STATS) > max(
        index for index, topic in enumerate(told) if topic in {OPEN_INTEREST, KLINES}
    )


async def test_later_polls_tell_open_interest_and_nothing_twice(world):
    await world.poll()
    world.clock.advance(60)
    told = await world.poll()
    assert {topic.name for topic, _ in told} == {OPEN_INTEREST.name}
    assert world.binance.count("/fapi/v1/klines") == 2
    world.clock.advance(300)
    assert on(await world.poll(), MARKET_STATS)


async def test_the_same_question_is_not_asked_twice_within_half_a_minute(world):
    await world.poll()
    asked = len(world.binance.asked)
    world.clock.advance(20)
    await world.poll()
    assert len(world.binance.asked) == asked


@pytest.mark.parametrize(
    "path", ["/fapi/v1/ticker/24hr", "/fapi/v1/premiumIndex", "/fapi/v1/openInterest"]
)
async def test_what_is_not_answered_is_left_out_and_asked_again(world, path):
    await world.poll()
    world.binance.failing.add(path)
    world.clock.advance(60)
    told = await world.poll()
    assert bool(on(told, OPEN_INTEREST)) == (path == "/fapi/v1/ticker/24hr")
    world.binance.failing.clear()
    world.clock.advance(60)
    assert on(await world.poll(), OPEN_INTEREST)


async def test_a_contract_that_is_refused_leaves_the_others_alone(world):
    world.binance.refused.add("ETHUSDT")
    told = await world.poll()
    assert {r.coin for r in on(told, OPEN_INTEREST)} == {"BTC"}
    stats = {s.coin: s for s in on(told, MARKET_STATS)}
    assert stats["BTC"].market_cap_source == "binance"
    assert stats["ETH"].market_cap_source == "coinpaprika"


async def test_a_venue_that_answers_for_no_contract_has_failed(world):
    def failed():
        name = "foreshock_oi_poller_polls_total"
        return REGISTRY.get_sample_value(name, {"exchange": "binance", "end": "failed"}) or 0.0

    before = failed()
    world.binance.refused |= {"BTCUSDT", "ETHUSDT"}
    await world.poll()
    assert failed() == before + 1


async def test_open_interest_does_not_wait_for_histories(world):
    world.binance.open.clear()
    await world.poller.poll(world.venue)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        catching_up = group.create_task(world.poller.catch_up())
        for _ in range(3):
            world.clock.advance(60)
            await world.poller.poll(world.venue)
        assert len(world.publisher.on(OPEN_INTEREST)) == 8
        assert not world.publisher.on(KLINES)
        assert not catching_up.done()
        world.binance.open.set()
    assert world.publisher.on(KLINES)
    assert world.publisher.on(MARKET_STATS)


async def test_each_hour_one_new_candle_is_asked_for(world):
    await world.poll()
    told = len(world.publisher.on(KLINES))
    world.clock.advance(3601)
    assert len(on(await world.poll(), KLINES)) == 2
    assert [p["limit"] for path, p in world.binance.asked if path.endswith("klines")] == [
        "721",
        "721",
        "2",
        "2",
    ]
    assert told == 2 * 720, "the open candle is none"


async def test_contracts_are_read_each_hour_however_seldom_it_is_polled(world):
    await world.poll()
    for polled in range(2, 5):
        world.clock.advance(3600)
        await world.poll()
        assert world.binance.count("/fapi/v1/exchangeInfo") == polled
    for _ in range(59):
        world.clock.advance(60)
        await world.poll()
    assert world.binance.count("/fapi/v1/exchangeInfo") == 4


async def test_contracts_that_failed_are_read_at_the_next_poll(world):
    world.binance.failing.add("/fapi/v1/exchangeInfo")
    await world.poll()
    world.binance.failing.clear()
    world.clock.advance(5)
    assert on(await world.poll(), MARKET_STATS)


async def test_a_source_of_caps_that_failed_is_asked_again_and_spoils_nothing(world):
    await world.poll()
    world.paprika = httpx.Response(500)
    world.clock.advance(6 * 3600)
    (eth,) = [s for s in on(await world.poll(), MARKET_STATS) if s.coin == "ETH"]
    assert eth.market_cap_source == "coinpaprika", "an hour-old cap is better than the table's"
    world.paprika = httpx.Response(200, text=json.dumps(PAPRIKA))
    world.clock.advance(600)
    (eth,) = [s for s in on(await world.poll(), MARKET_STATS) if s.coin == "ETH"]
    assert eth.market_cap_ms == world.clock.now_ms()


async def test_history_that_failed_is_loaded_at_the_next_poll(world):
    world.binance.failing.add("/fapi/v1/klines")
    told = await world.poll()
    assert not on(told, KLINES)
    world.binance.failing.clear()
    world.clock.advance(60)
    told = await world.poll()
    assert on(told, KLINES)
    assert on(told, MARKET_STATS)


async def test_without_contracts_nothing_is_followed(world):
    world.binance.failing.add("/fapi/v1/exchangeInfo")
    ((topic, health),) = await world.poll()
    assert (topic, health.state) == (FEED_HEALTH, "DOWN")
    assert "exchangeInfo answered 500" in health.reason


@pytest.mark.parametrize("paprika", [httpx.Response(500), httpx.Response(200, text="<html>")])
async def test_a_source_of_caps_that_fails_is_passed_over(world, paprika):
    world.paprika = paprika
    told = await world.poll()
    stats = {s.coin: s for s in on(told, MARKET_STATS)}
    assert stats["ETH"].market_cap_source.startswith("bundled 20")
    assert stats["ETH"].market_cap_ms < NOW
