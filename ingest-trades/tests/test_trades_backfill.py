"""Trades that the stream has left out, asked for by REST, and the gap as a fact."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx

from foreshock_exchanges import load
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Host, Limit
from foreshock_kit.testing import FakeClock, MemoryPublisher, eventually
from foreshock_kit.universe import Universe
from foreshock_schemas.events import Instrument
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import BARS, FEED_HEALTH, TRADES
from ingest_trades.edge import backfill
from ingest_trades.edge.desk import TradeDesk

NOW = 1_790_000_000_000


def row(number):
    return {"a": number, "p": "100", "q": "1", "f": 1, "l": 1, "T": NOW + number, "m": False}


def frame(number, **also):
    return json.dumps({"e": "aggTrade", "E": NOW, "s": "BTCUSDT"} | row(number) | also).encode()


class Venue:
    """Has trades 1 to `newest`, 1,000 an answer, unless it refuses."""

    def __init__(self, newest, refuses=()):
        self.newest = newest
        self.refuses = list(refuses)
        self.asked = []

    def __call__(self, request):
        self.asked.append(dict(request.url.params))
        if self.refuses:
            return httpx.Response(self.refuses.pop(0), json={"code": -1003, "msg": "no"})
        first, limit = int(request.url.params["fromId"]), int(request.url.params["limit"])
        numbers = range(first, min(self.newest, first + limit - 1) + 1)
        return httpx.Response(200, json=[row(number) for number in numbers])


@asynccontextmanager
async def looking(venue, monkeypatch, adapter=None):
    monkeypatch.setattr(backfill, "_LOOK_EVERY_S", 0.01)
    publisher, clock = MemoryPublisher(), FakeClock(NOW)
    limits = Host(Limit(weight=10_000, window_s=60.0), clock)
    host = HttpClient("http://venue", limits, transport=httpx.MockTransport(venue))
    async with asyncio.timeout(20), host, asyncio.TaskGroup() as group:
        adapter = adapter or load("binance")
        desk = TradeDesk(adapter, "wss://host", Universe(), publisher, clock, host)
        teller = FeedHealthTeller(clock, adapter.name, "trades", publisher)
        task = group.create_task(desk.accompany(teller))
        yield desk, publisher, clock
        task.cancel()


def numbers(publisher):
    return sorted(int(t.event_id.rpartition(":")[2]) for t in publisher.on(TRADES))


async def test_missing_trades_are_asked_for_in_as_many_answers_as_it_takes(monkeypatch):
    venue = Venue(newest=2_600)
    async with looking(venue, monkeypatch) as (desk, publisher, clock):
        await desk.on_frame(frame(1), 0)
        await desk.on_frame(frame(2_502), 0)
        clock.advance(2)
        await eventually(lambda: publisher.on(FEED_HEALTH))
        (gap,) = publisher.on(FEED_HEALTH)
        await desk.on_frame(frame(2_503, T=NOW + 5_000), 0)
    assert numbers(publisher) == list(range(1, 2_504))
    assert (gap.symbol, gap.missing, gap.refilled) == ("BTCUSDT", 2_500, 2_500)
    assert (gap.gap_start_ms, gap.gap_end_ms) == (NOW + 1, NOW + 2_502)
    assert [asked["limit"] for asked in venue.asked] == ["1000", "1000", "500"]
    money = sum(bar.notional_usd + bar.late_notional_usd for bar in publisher.on(BARS))
    assert money == 2_502 * 100


async def test_what_the_venue_has_not_is_a_fact_too(monkeypatch):
    async with looking(Venue(newest=5), monkeypatch) as (desk, publisher, clock):
        await desk.on_frame(frame(1), 0)
        await desk.on_frame(frame(9), 0)
        clock.advance(2)
        await eventually(lambda: publisher.on(FEED_HEALTH))
        (gap,) = publisher.on(FEED_HEALTH)
    assert (gap.missing, gap.refilled) == (7, 4)
    assert numbers(publisher) == [1, 2, 3, 4, 5, 9]


async def test_a_venue_that_refuses_is_left_alone_and_the_next_gap_is_looked_at(monkeypatch):
    async with looking(Venue(newest=99, refuses=[418]), monkeypatch) as (desk, publisher, clock):
        for number in (1, 3):
            await desk.on_frame(frame(number), 0)
        clock.advance(2)
        await eventually(lambda: len(publisher.on(FEED_HEALTH)) == 1)
        clock.advance(3_600)
        await desk.on_frame(frame(5), 0)
        clock.advance(2)
        await eventually(lambda: len(publisher.on(FEED_HEALTH)) == 2)
        facts = [(gap.missing, gap.refilled) for gap in publisher.on(FEED_HEALTH)]
    assert facts == [(1, 0), (1, 1)]
    assert numbers(publisher) == [1, 3, 4, 5]


async def test_a_trade_that_comes_both_ways_counts_once(monkeypatch):
    async with looking(Venue(newest=9), monkeypatch) as (desk, publisher, clock):
        for number in (1, 3):
            await desk.on_frame(frame(number), 0)
        clock.advance(2)
        await eventually(lambda: publisher.on(FEED_HEALTH))
        await desk.on_frame(frame(2), 0)
    assert numbers(publisher) == [1, 2, 3]


async def test_what_a_dropped_coin_trades_until_it_comes_back_is_not_asked_for(monkeypatch):
    contract = sample(Instrument, exchange="binance", symbol="BTCUSDT", coin="BTC")
    venue = Venue(newest=70_000)
    async with looking(venue, monkeypatch) as (desk, publisher, clock):
        desk.feeds([contract])
        await desk.on_frame(frame(1), 0)
        desk.feeds([])
        desk.feeds([contract])
        for number in (60_000, 60_002):
            await desk.on_frame(frame(number, T=NOW), 0)
        clock.advance(2)
        await eventually(lambda: publisher.on(FEED_HEALTH))
    assert [(asked["fromId"], asked["limit"]) for asked in venue.asked] == [("60001", "1")]


def okx(last, count, at_ms=NOW):
    trade = {"instId": "BTC-USDT-SWAP", "tradeId": str(last), "px": "100", "sz": "1"}
    trade |= {"side": "buy", "ts": str(at_ms), "count": str(count)}
    arg = {"channel": "trades", "instId": "BTC-USDT-SWAP"}
    return json.dumps({"arg": arg, "data": [trade]}).encode()


async def test_on_okx_a_late_frame_and_single_trades_of_the_same_numbers_count_once(monkeypatch):
    def venue(request):
        last = int(request.url.params["after"]) - 1
        rows = [
            {"instId": "BTC-USDT-SWAP", "tradeId": str(number), "px": "100", "sz": "1"}
            | {"side": "buy", "ts": str(NOW)}
            for number in range(last, 1, -1)
        ]
        return httpx.Response(200, json={"code": "0", "msg": "", "data": rows})

    adapter = load("okx")
    contract = sample(
        Instrument, exchange="okx", symbol="BTC-USDT-SWAP", coin="BTC", contract_size=0.01
    )
    adapter.learn([contract])
    async with looking(venue, monkeypatch, adapter) as (desk, publisher, clock):
        desk.feeds([contract])
        await desk.on_frame(okx(1, 1), 0)
        await desk.on_frame(okx(8, 1), 0)
        clock.advance(2)
        await eventually(lambda: publisher.on(FEED_HEALTH))
        await desk.on_frame(okx(5, 4), 0)
        await desk.on_frame(okx(9, 1, NOW + 5_000), 0)
        (gap,) = publisher.on(FEED_HEALTH)
    assert (gap.missing, gap.refilled) == (6, 6)
    assert numbers(publisher) == list(range(1, 10))
    assert sum(bar.notional_usd + bar.late_notional_usd for bar in publisher.on(BARS)) == 8
