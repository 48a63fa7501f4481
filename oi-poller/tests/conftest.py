"""Made-up exchanges, whose sizes are in contracts, and time that passes as fast as can be."""

import asyncio
import json

import httpx
import msgspec
import pytest

from foreshock_exchanges.contracts import Contracts, instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.venue import VenueAdapter, VenueRest
from foreshock_kit.http import HttpClient
from foreshock_kit.limits import Host, Limit
from foreshock_kit.service import Context
from foreshock_kit.testing import MemoryPublisher
from foreshock_schemas.events import Kline, MarginTier
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import FEED_HEALTH, OPEN_INTEREST
from oi_poller import service
from oi_poller.domain.market import Market
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.poller import Poller
from oi_poller.edge.venue import Venue
from oi_poller.settings import Settings

HOUR_MS = 3_600_000
QUARTER_MS = 900_000
CANDLES = {"1h": ("/klines", HOUR_MS), "15m": ("/quarters", QUARTER_MS)}
_CANDLE = sample(Kline)
_USUAL = Budget(weight=600, window_s=5.0)


class MadeUpRest(VenueRest):
    """One POST tells tickers, premiums and open interest; contracts come 100 a page.

    Candles of an hour and of 15 minutes are asked for on a path of their own.
    """

    def __init__(self, name, contracts, budget, weight):
        super().__init__(contracts)
        self.name = name
        self.budget = budget
        self.weight = weight

    def instruments(self):
        return Request(path="/instruments")

    def read_instruments(self, body, recv_ms):
        return [
            instrument(
                self.name,
                row["symbol"],
                row["base"],
                recv_ms,
                quote="USDT",
                status=row["status"],
                size=row["size"],
                funding_interval_h=4.0,
            )
            for row in json.loads(body)["rows"]
        ]

    def next_page(self, request, body):
        said = json.loads(body)
        if not isinstance(said, dict) or not (cursor := said.get("next")):
            return None
        others = (each for each in request.params if each[0] != "cursor")
        return msgspec.structs.replace(request, params=(*others, ("cursor", cursor)))

    def tickers(self):
        return Request(path="/info", json='{"type":"all"}', weight=self.weight)

    def premiums(self, symbols):
        return [self.tickers()]

    def open_interest(self, symbols):
        return [self.tickers()]

    def _rows(self, body):
        for row in json.loads(body):
            if (known := self.contracts.sized(row["symbol"])) is not None:
                yield row, known

    def read_tickers(self, body, recv_ms):
        return [
            Ticker(
                symbol=known.symbol,
                coin=known.coin,
                last_price=row["price"] / known.multiplier,
                volume_24h_usd=row["volume"],
                change_24h_pct=0.0,
                ts_event_ms=recv_ms,
            )
            for row, known in self._rows(body)
        ]

    def read_premiums(self, bodies, recv_ms):
        return [
            Premium(
                symbol=known.symbol,
                coin=known.coin,
                mark_price=row["price"] / known.multiplier,
                index_price=None,
                funding_rate=0.0001,
                next_funding_ms=None,
                ts_event_ms=recv_ms,
            )
            for body in bodies
            for row, known in self._rows(body)
        ]

    def read_open_interest(self, body, recv_ms):
        return [
            OpenContracts(
                symbol=known.symbol,
                coin=known.coin,
                open_interest_coins=known.coins(row["price"], row["contracts"]),
                ts_event_ms=recv_ms,
            )
            for row, known in self._rows(body)
        ]

    def klines(self, symbol, interval, limit, now_ms):
        path, _ = CANDLES[interval]
        return Request(path=path, params=(("symbol", symbol),), weight=self.weight)

    def read_klines(self, body, symbol, interval, recv_ms):
        known, (_, span_ms) = self.contracts.sized(symbol), CANDLES[interval]
        said = json.loads(body)
        return [
            msgspec.structs.replace(
                _CANDLE,
                exchange=self.name,
                symbol=symbol,
                coin=known.coin,
                interval=interval,
                start_ms=end_ms - span_ms,
                ts_event_ms=end_ms,
            )
            for end_ms in (said["rows"] if isinstance(said, dict) else said)
        ]

    def tiers(self, symbols):
        return [Request(path="/tiers", params=(("symbols", ",".join(symbols)),))]

    def read_tiers(self, body):
        return {
            symbol: (MarginTier(floor_usd=0.0, rate=rate, max_leverage=50.0, deduction_usd=0.0),)
            for symbol, rate in json.loads(body)["rows"].items()
        }


class MadeUp(VenueAdapter):
    """The adapter; it knows a contract's size only once it was told."""

    default_funding_interval_h = 8.0

    def __init__(self, name, budget=_USUAL, weight=1):
        super().__init__(Contracts(lambda _: None))
        self.name = name
        self.rest = MadeUpRest(name, self.contracts, budget, weight)

    def read(self, frame, recv_ms):
        raise AssertionError("the poller reads no frames")


class MadeUpHost:
    """Its REST host; `coins` are price and volume by coin.

    A path in `answers` gets that response; one in `silent` gets none.
    """

    page = 100
    tiers_page = 100
    quarters = 1500
    quarters_page = 300

    def __init__(self, clock, coins):
        self.clock = clock
        self.coins = coins
        self.rate = 0.01
        self.answers = {}
        self.silent = set()
        self.asked = []

    async def __call__(self, request):
        path = request.url.path
        self.asked.append(path)
        if path in self.silent:
            await asyncio.Event().wait()
        if path in self.answers:
            return self.answers[path]
        return httpx.Response(200, json=self.body(path, dict(request.url.params), request))

    def body(self, path, params, request):
        match path:
            case "/instruments":
                return self.instruments(int(params.get("cursor", 0)))
            case "/info":
                if json.loads(request.content) != {"type": "all"} or request.method != "POST":
                    raise AssertionError(request)
                contracts = 50.0 + (self.clock.now_ms() - self.clock.start_ms) // 30_000
                return [
                    {"symbol": f"{c}-PERP", "price": price, "volume": usd, "contracts": contracts}
                    for c, (price, usd) in self.coins.items()
                ]
            case "/klines":
                newest = self.clock.now_ms() // HOUR_MS * HOUR_MS
                return [newest - hours * HOUR_MS for hours in range(30, -2, -1)]
            case "/quarters":
                return self.candles(int(params.get("cursor", 0)))
            case "/tiers":
                symbols = params["symbols"].split(",")
                start = int(params.get("cursor", 0))
                here = dict.fromkeys(symbols[start : start + self.tiers_page], self.rate)
                return {"rows": here} | self.following(start, len(symbols), self.tiers_page)
        raise AssertionError(path)

    def candles(self, cursor):
        newest = cursor or self.clock.now_ms() // QUARTER_MS + 1
        oldest = newest - self.quarters_page + 1
        rows = [end * QUARTER_MS for end in range(oldest, newest + 1)]
        more = oldest > self.clock.start_ms // QUARTER_MS - self.quarters
        return {"rows": rows, "next": str(oldest - 1) if more else None}

    def instruments(self, start):
        rows = [
            {"symbol": f"{coin}-PERP", "base": coin, "status": "trading", "size": 0.01}
            for coin in [*self.coins][start : start + self.page]
        ]
        return {"rows": rows} | self.following(start, len(self.coins))

    def following(self, start, count, page=page):
        return {"next": str(start + page)} if start + page < count else {}


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time skips to whatever is due next."""

    def __init__(self):
        super().__init__()
        self.passed_s = 0.0
        look = self._selector.select

        def select(timeout):
            ready = look(0)
            if not ready:
                self.passed_s += timeout
            return ready

        self._selector.select = select

    def time(self):
        return self.passed_s


class LoopClock:
    """The running loop's time, from a full hour on."""

    start_ms = 1_790_000_000_000 // HOUR_MS * HOUR_MS

    def now_ms(self):
        return self.start_ms + round(self.monotonic() * 1000)

    def monotonic(self):
        return asyncio.get_running_loop().time()


COINS = {"BTC": (80_000.0, 8e9), "1000PEPE": (0.0123, 1e9)}


class World:
    """Venues `a` and `b`, which list the same; `b` is the smaller one."""

    def __init__(self, clock, made_up, coins=COINS, top=60):
        adapter, host = made_up
        self.clock = clock
        self.publisher = MemoryPublisher()
        smaller = {coin: (price, usd / 2) for coin, (price, usd) in coins.items()}
        self.hosts = {"a": host(clock, coins), "b": host(clock, smaller)}
        self.venues = {name: self.venue(adapter(name), name) for name in self.hosts}
        self.market = Market([*self.hosts], (), top)
        caps = MarketCaps(["bundled", "binance"], [*self.venues.values()], {})
        poller = Poller([*self.venues.values()], caps, self.market, self.publisher, clock)
        self.poller = poller
        self.polls = {each.name: each for each in poller.polls}
        self.context = Context("oi-poller", clock=clock)

    def venue(self, adapter, name):
        limits = Host(Limit(weight=600, window_s=5.0), self.clock)
        transport = httpx.MockTransport(self.hosts[name])
        return Venue(
            adapter, HttpClient(f"https://{name}", limits, transport=transport), self.clock
        )

    async def round(self):
        """Poll all venues once, catch up, and return what was told."""
        before = len(self.publisher.records)
        async with asyncio.TaskGroup() as group:
            for each in self.polls.values():
                group.create_task(self.poller.poll(each))
        await self.poller.catch_up()
        return self.publisher.records[before:]

    async def play(self, seconds):
        """Let the service's own loops run for a while."""
        async with asyncio.TaskGroup() as group:
            running = service.poll(self.poller, self.market, Settings(), self.context)
            group.create_task(running)
            await asyncio.sleep(seconds)
            self.context.stop.set()

    def read(self, name):
        """Return the seconds at which a venue's open interest of BTC was told."""
        return [
            (event.ts_recv_ms - self.clock.start_ms) / 1000
            for event in self.publisher.on(OPEN_INTEREST)
            if (event.exchange, event.coin) == (name, "BTC")
        ]

    def health(self, name):
        """Return the states told of a venue's polls, and when."""
        return [
            (event.state, (event.ts_event_ms - self.clock.start_ms) // 1000)
            for event in self.publisher.on(FEED_HEALTH)
            if event.exchange == name
        ]


@pytest.fixture
def made_up():
    """Return the adapter's and its host's class."""
    return MadeUp, MadeUpHost


@pytest.fixture
def simulated():
    """Return what plays an async function of a clock in time that skips."""

    def run(play):
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            return runner.run(play(LoopClock()))

    return run


@pytest.fixture
def played(simulated, made_up):
    """Return what plays an async function of a world."""

    def run(play, **changes):
        async def in_world(clock):
            return await play(World(clock, made_up, **changes))

        return simulated(in_world)

    return run
