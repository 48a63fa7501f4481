"""An hour of ten venues and 80 coins in time that skips, seen from the venues' side."""

import asyncio
from collections import defaultdict, deque

import httpx

from foreshock_exchanges import load
from foreshock_exchanges.rest import Budget
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Host, limit_of
from foreshock_kit.service import Context
from foreshock_kit.testing import MemoryPublisher
from foreshock_schemas.topics import KLINES, OPEN_INTEREST
from oi_poller import service
from oi_poller.domain.costs import SHARE
from oi_poller.domain.market import Market
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import Poller
from oi_poller.edge.venue import Venue
from oi_poller.settings import Settings

PLAYED_S = 65 * 60 - 1
COINS = {f"C{n:02}": (1.0 + n, 1e9 - n * 1e6) for n in range(80)}

BUDGETS = {
    "bybit": (Budget(weight=600, window_s=5.0), 1),
    "okx": (Budget(weight=10, window_s=2.0), 1),
    "bitget": (Budget(weight=20, window_s=1.0), 1),
    "gate": (Budget(weight=200, window_s=10.0), 1),
    "hyperliquid": (Budget(weight=1200, window_s=60.0), 20),
    "deribit": (Budget(weight=50_000, window_s=5.0), 500),
    "bitmex": (Budget(weight=30, window_s=60.0), 1),
    "kraken": (Budget(weight=500, window_s=10.0), 1),
    "silent": (Budget(weight=600, window_s=5.0), 1),
}
"""Limits and what a call costs, on venues where one answer tells all."""


class Counted:
    """A host that counts weight as the venue would, and takes a while to answer."""

    def __init__(self, answer, weight_of, window_s, clock):
        self.answer = answer
        self.weight_of = weight_of
        self.window_s = window_s
        self.clock = clock
        self.window = deque()
        self.most = 0
        self.total = 0

    async def __call__(self, request):
        now, weight = self.clock.monotonic(), self.weight_of(request)
        self.window.append((now, weight))
        while self.window[0][0] <= now - self.window_s:
            self.window.popleft()
        self.total += weight
        self.most = max(self.most, sum(weight for _, weight in self.window))
        await asyncio.sleep(0.1)
        return await self.answer(request)


BINANCE_WEIGHTS = {
    "/fapi/v1/exchangeInfo": 1,
    "/fapi/v1/fundingInfo": 1,
    "/fapi/v1/ticker/24hr": 40,
    "/fapi/v1/premiumIndex": 10,
    "/fapi/v1/openInterest": 1,
    "/futures/data/openInterestHist": 0,
}


def binance_weight(request):
    if request.url.path != "/fapi/v1/klines":
        return BINANCE_WEIGHTS[request.url.path]
    limit = int(request.url.params["limit"])
    return next(
        weight for most, weight in ((99, 1), (499, 2), (1000, 5), (1500, 10)) if limit <= most
    )


SPANS_MS = {"1h": 3_600_000, "15m": 900_000}


LOADED = 29
"""Candles of 15 minutes, in three pages where they are of ten."""


class Binance:
    """Binance's answers, with the used weight of the minute in their header."""

    def __init__(self, clock):
        self.clock = clock
        self.minute = 0
        self.used = 0

    async def __call__(self, request):
        minute = self.clock.now_ms() // 60_000
        if minute != self.minute:
            self.minute, self.used = minute, 0
        self.used += binance_weight(request)
        body = self.body(request.url.path, **request.url.params)
        return httpx.Response(200, json=body, headers={"X-MBX-USED-WEIGHT-1M": str(self.used)})

    def body(self, path, symbol="", interval="", limit="", **_):
        now_ms = self.clock.now_ms()
        match path.rpartition("/")[2]:
            case "exchangeInfo":
                return {"symbols": [self.contract(coin) for coin in COINS]}
            case "fundingInfo" | "openInterestHist":
                return []
            case "24hr":
                return [
                    {
                        "symbol": f"{coin}USDT",
                        "lastPrice": str(price),
                        "priceChangePercent": "0",
                        "quoteVolume": str(usd),
                        "closeTime": now_ms,
                    }
                    for coin, (price, usd) in COINS.items()
                ]
            case "premiumIndex":
                return [
                    {
                        "symbol": f"{coin}USDT",
                        "markPrice": str(price),
                        "indexPrice": str(price),
                        "lastFundingRate": "0.0001",
                        "nextFundingTime": now_ms,
                        "time": now_ms,
                    }
                    for coin, (price, _) in COINS.items()
                ]
            case "openInterest":
                return {"symbol": symbol, "openInterest": "1000", "time": now_ms}
        span_ms = SPANS_MS[interval]
        return [
            self.candle(now_ms // span_ms - n, span_ms)
            for n in range(min(int(limit), 31) - 1, -1, -1)
        ]

    @staticmethod
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

    @staticmethod
    def candle(number, span_ms):
        start = number * span_ms
        end = start + span_ms - 1
        return [start, "1", "1", "1", "1", "1", end, "1000", 10, "1", "500", "0"]


class Told(MemoryPublisher):
    """Keeps everything but candles, of which it notes the ends by contract."""

    def __init__(self):
        super().__init__()
        self.hours = defaultdict(list)
        self.quarters = defaultdict(list)

    async def publish(self, topic, event):
        if topic is KLINES:
            told = self.hours if event.interval == "1h" else self.quarters
            told[event.exchange, event.coin].append(event.ts_event_ms)
        else:
            await super().publish(topic, event)


class Market80:
    """The poller as the service wires it, before hosts that count."""

    def __init__(self, clock, made_up):
        adapter, host = made_up
        self.clock = clock
        self.told = Told()
        self.hosts, self.venues, self.limits = {}, [], {}
        self.add(load("binance"), Counted(Binance(clock), binance_weight, 60.0, clock))
        for name, (budget, weight) in BUDGETS.items():
            answer = host(clock, COINS)
            answer.quarters, answer.quarters_page = 30, 10
            answer.silent = {"/info"} if name == "silent" else set()

            def weight_of(request, weight=weight):
                return weight if request.url.path in {"/info", "/klines", "/quarters"} else 1

            counted = Counted(answer, weight_of, budget.window_s, clock)
            self.add(adapter(name, budget, weight), counted)

    def add(self, adapter, host):
        limit = limit_of(adapter.rest.budget, SHARE)
        transport = httpx.MockTransport(host)
        http = HttpClient(f"https://{adapter.name}", Host(limit, self.clock), transport=transport)
        self.hosts[adapter.name] = host
        self.limits[adapter.name] = limit
        self.venues.append(Venue(adapter, http, self.clock))

    async def play(self, seconds):
        names = [venue.name for venue in self.venues]
        settings = Settings(coins_top=80)
        market = Market(names, (), 80)
        caps = MarketCaps(["binance", "bundled"], self.venues, {})
        poller = Poller(self.venues, caps, market, self.told, self.clock)
        context = Context("oi-poller", clock=self.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(service.poll(poller, market, settings, context))
            await asyncio.sleep(seconds)
            context.stop.set()

    def late(self, name):
        """Return how late into its minute each complete reading of a venue came, by minute."""
        minutes = {}
        for event in self.told.on(OPEN_INTEREST):
            if event.exchange == name:
                minute, late_ms = divmod(event.ts_recv_ms - self.clock.start_ms, 60_000)
                minutes.setdefault(minute, []).append(late_ms / 1000)
        assert {len(each) for each in minutes.values()} == {len(COINS)}
        return {minute: max(each) for minute, each in minutes.items()}


def test_an_hour_of_ten_venues_stays_within_a_third_of_every_limit(simulated, made_up):
    async def play(clock):
        world = Market80(clock, made_up)
        await world.play(PLAYED_S)
        return world

    world = simulated(play)
    for name, host in world.hosts.items():
        limit = world.limits[name]
        share = host.most / limit.weight
        mean = host.total / limit.weight * limit.window_s / PLAYED_S
        print(f"{name:12} at most {share:6.1%} of its limit in any window, {mean:6.2%} on average")
        assert share <= 2 / 9, name
    followed = [name for name in world.hosts if name != "silent"]
    for name in followed:
        late = world.late(name)
        assert sorted(late) == list(range(65)), f"{name} missed a minute"
        assert late.pop(0) < 17, f"{name} waited more than 15 s for the silent one"
        assert max(late.values()) < 5, f"{name} was late"
    assert not [e for e in world.told.on(OPEN_INTEREST) if e.exchange == "silent"]
    contracts = {(name, coin) for name in followed for coin in COINS}
    assert set(world.told.hours) == contracts
    quarters = world.told.quarters
    assert all(len(ends) == len({*ends}) for ends in quarters.values()), "each once"
    lacking = {name for name, coin in contracts if len(quarters[name, coin]) < LOADED}
    assert lacking <= {"bitmex", "hyperliquid"}, "whose shares carry a few requests a minute"
