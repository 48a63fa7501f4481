"""The simulated Binance over real sockets: what it says is what the adapter reads."""

import asyncio
import itertools
import json

import aiohttp
import pytest

from foreshock_exchanges import load
from foreshock_exchanges.base import Ignored, MarkPrice
from foreshock_schemas.events import Liquidation, Trade
from foreshock_simulator.binance.server import serve
from foreshock_simulator.binance.venue import Venue
from foreshock_simulator.market.market import Market

T0 = 1_790_000_000_000
DAY_MS = 86_400_000


class World:
    def __init__(self, venue, url, http):
        self.venue, self.url, self.http = venue, url, http

    def run(self, seconds):
        for _ in range(seconds * 10):
            self.venue.step(self.venue.now_ms + 100)

    def connect(self, path):
        return self.http.ws_connect(f"{self.url}{path}")

    async def get(self, path, **params):
        async with self.http.get(f"{self.url}{path}", params=params) as answer:
            return answer.status, dict(answer.headers), await answer.read()


@pytest.fixture
async def world():
    venue = Venue(Market(7), 7, T0)
    async with (
        asyncio.timeout(30),
        serve(venue, "127.0.0.1", 0) as url,
        aiohttp.ClientSession() as http,
    ):
        yield World(venue, url, http)


async def ask(socket, **message):
    await socket.send_json(message)
    return json.loads((await socket.receive()).data)


async def test_the_protocol_of_subscriptions(world):
    async with world.connect("/market/ws") as socket:
        said = {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade", "!forceOrder@arr"], "id": 1}
        assert await ask(socket, **said) == {"result": None, "id": 1}
        listed = await ask(socket, method="LIST_SUBSCRIPTIONS", id=2)
        assert listed == {"result": ["btcusdt@aggTrade", "!forceOrder@arr"], "id": 2}
        await ask(socket, method="UNSUBSCRIBE", params=["btcusdt@aggTrade"], id=3)
        assert (await ask(socket, method="LIST_SUBSCRIPTIONS", id=4))["result"] == [
            "!forceOrder@arr"
        ]
        assert (await ask(socket, method="GET_PROPERTY", params=["combined"], id=5))[
            "result"
        ] is False
        assert (await ask(socket, method="SHOUT", id=6))["code"] == 2
        assert (await ask(socket, method="SUBSCRIBE", params=[], id="x"))["code"] == 2
        await socket.send_str("{")
        assert json.loads((await socket.receive()).data)["code"] == 3


async def test_whoever_talks_too_fast_is_thrown_out(world):
    async with world.connect("/market/ws") as socket:
        for number in range(12):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        kinds = [(await socket.receive()).type for _ in range(11)]
        assert kinds[-1] is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1008


async def frames(socket, seconds_of, world, count):
    world.run(seconds_of)
    return [(await socket.receive()).data.encode() for _ in range(count)]


async def test_market_frames_are_read_by_the_adapter(world):
    streams = "/".join(["!forceOrder@arr", "!markPrice@arr@1s", "btcusdt@aggTrade"])
    async with world.connect(f"/market/stream?streams={streams}") as socket:
        while not world.venue.listeners:
            await asyncio.sleep(0)
        raw = await frames(socket, 40, world, 400)
    adapter, kinds, ignored = load("binance"), set(), set()
    for frame in raw:
        parsed = adapter.parse(frame, world.venue.now_ms)
        if isinstance(parsed, Ignored):
            ignored.add(parsed)
        else:
            kinds |= {type(event) for event in parsed}
    assert kinds == {Trade, Liquidation, MarkPrice}
    assert ignored <= {Ignored.OTHER_MARKET}


async def test_the_unrouted_path_acknowledges_and_stays_mute(world):
    async with world.connect("/ws") as socket:
        said = {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}
        assert await ask(socket, **said) == {"result": None, "id": 1}
        world.run(5)
        (listener,) = world.venue.listeners
        assert listener.frames.empty()


async def test_faults_to_order(world):
    async with world.connect("/market/ws/!markPrice@arr@1s") as socket:
        while not world.venue.listeners:
            await asyncio.sleep(0)
        order = {"kind": "drop", "stream": "!markPrice@arr@1s", "count": 2}
        async with world.http.post(f"{world.url}/_sim/fault", json=order) as answer:
            assert answer.status == 200
        world.run(2)
        (listener,) = world.venue.listeners
        assert listener.frames.qsize() + world.venue.sent["!markPrice@arr@1s"] >= 2
        async with world.http.post(f"{world.url}/_sim/fault", json={"kind": "disconnect"}) as a:
            assert a.status == 200
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert socket.closed
    async with world.http.post(f"{world.url}/_sim/fault", json={"kind": "rain"}) as answer:
        assert answer.status == 400


async def test_rest_bodies_are_read_by_the_adapter(world):
    rest = load("binance").rest

    async def body(request):
        status, headers, found = await world.get(request.path, **dict(request.params))
        assert status == 200, found
        assert headers["X-MBX-USED-WEIGHT-1M"].isdigit()
        return found

    contracts = rest.read_instruments(await body(rest.instruments()), T0)
    assert {c.coin for c in contracts if c.status == "trading"} >= {"BTC", "PEPE"}
    tickers = rest.read_tickers(await body(rest.tickers()))
    premiums = rest.read_premiums(await body(rest.premiums()))
    assert {t.coin for t in tickers} == {p.coin for p in premiums}
    (held,) = rest.read_open_interest(await body(rest.open_interest(["BTCUSDT"])[0]))
    assert held.open_interest_coins > 0
    klines = rest.read_klines(await body(rest.klines("BTCUSDT", "1h", 48)), "BTCUSDT", "1h", T0)
    assert len(klines) == 48
    assert all(b.start_ms - a.start_ms == 3_600_000 for a, b in itertools.pairwise(klines))
    assert all(k.low <= min(k.open, k.close) <= max(k.open, k.close) <= k.high for k in klines)
    assert rest.read_supply(await body(rest.supply("BTCUSDT")))[0].circulating_coins > 1e7
    rest.read_funding_intervals(await body(rest.funding_intervals()))


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/fapi/v1/openInterest", {}, -1102),
        ("/fapi/v1/openInterest", {"symbol": "NOSUCH"}, -1121),
        ("/fapi/v1/klines", {"symbol": "NOSUCH", "interval": "1h"}, -1121),
    ],
)
async def test_wrong_requests_get_binances_own_codes(world, path, params, code):
    status, _, body = await world.get(path, **params)
    assert (status, json.loads(body)["code"]) == (400, code)


async def test_whoever_asks_too_much_is_refused_and_then_banned(world):
    statuses = []
    while 418 not in statuses:
        status, headers, _ = await world.get("/fapi/v1/ticker/24hr")
        statuses.append(status)
        assert len(statuses) < 200
    assert statuses.index(429) == 60, "2,400 a minute, 40 each"
    assert int(headers["Retry-After"]) > 0
