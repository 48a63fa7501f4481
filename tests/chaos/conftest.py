"""Services on a broker before simulated venues that get into trouble.

Their clocks run ahead of the machine's by hours, which the embedded broker takes and Apache Kafka
refuses (`message.timestamp.after.max.ms`): so these tests are not among those of `make test-kafka`.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

import ingest_liquidations.service as liquidations
import ingest_trades.service as trades
import oi_poller.service as poller
from foreshock_kit.kafka import Record, keep_following
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually
from foreshock_kit.testing.clock import FakeClock
from foreshock_schemas.events import Event, FeedHealth, Trade
from foreshock_schemas.ids import numbers_of
from foreshock_schemas.names import coin_of
from foreshock_schemas.topics import (
    FEED_HEALTH,
    INSTRUMENTS,
    LIQUIDATIONS,
    OPEN_INTEREST,
    SIGNALS,
    TRADES,
    Topic,
)
from foreshock_simulator.market.profiles import DEMO
from foreshock_simulator.market.trades import Liquidation
from foreshock_simulator.venue.forced import Forced
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

VENUES = ("binance", "bybit", "okx")
_STREAMS = {"binance": "{}@aggTrade", "bybit": "publicTrade.{}", "okx": "trades:{}"}
_STEP_S = 0.05
_FORCED_EVERY_MS = 2_000
_QUIET_PER_S = 0.01
_UNLIMITED = 100.0


class Clock(FakeClock):
    """Time that passes step by step, however busy the machine; it goes on from test to test."""

    latest_ms = 0

    def __init__(self) -> None:
        super().__init__(max(time.time_ns() // 1_000_000, Clock.latest_ms))

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        Clock.latest_ms = self.now_ms()


class Live:
    """A market that trades, what the services made of it, and orders for trouble.

    While it `flows` there are trades; one of each coin that is `falling` is liquidated every two
    seconds on every venue, of either side in turn, so that every print is a cluster of its own.
    """

    def __init__(self, world: World, urls: dict[str, str], clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self.urls = urls
        self.begun_ms = clock.now_ms()
        self.flows = True
        self.falling: Sequence[str] = ()
        self._forced_ms = clock.now_ms()
        self.http = httpx.AsyncClient(timeout=5)
        self.told: defaultdict[str, list[Event]] = defaultdict(list)

    def on_record(self, record: Record) -> None:
        self.told[record.topic.name].append(record.event)

    def events(self, topic: Topic, exchange: str, since: int = 0, **fields: object) -> list:
        return [
            each
            for each in self.told[topic.name][since:]
            if each.exchange == exchange
            and all(getattr(each, name) == value for name, value in fields.items())
        ]

    def trades(self, exchange: str, coin: str) -> list[Trade]:
        return self.events(TRADES, exchange, coin=coin)

    async def is_told(self, exchange: str, channel: str, state: str) -> None:
        """Wait until the last word on a channel is this state."""

        def told() -> bool:
            found = self.health(exchange, channel)
            return bool(found) and found[-1].state == state

        await eventually(told, 40)

    def health(self, exchange: str, channel: str) -> list[FeedHealth]:
        """Return what was said of a channel, without the gaps."""
        found = self.events(FEED_HEALTH, exchange, channel=channel)
        return [each for each in found if each.gap_start_ms is None]

    def gaps(self, exchange: str, channel: str = "trades") -> list[FeedHealth]:
        """Return the gaps of a channel since the market began; an earlier run left one, too."""
        found = self.events(FEED_HEALTH, exchange, channel=channel)
        return [each for each in found if (each.gap_start_ms or 0) > self.begun_ms]

    def listing(self, exchange: str, coin: str) -> Listing:
        """Return the venue's listing of a coin in USDT."""
        found = self.world.venues[exchange].listings.values()
        return next(each for each in found if coin_of(each.base)[0] == coin and not each.inverse)

    async def order(self, *exchanges: str, **fault: object) -> None:
        for exchange in exchanges:
            (
                await self.http.post(f"{self.urls[exchange]}/_sim/fault", json=fault)
            ).raise_for_status()

    async def trouble(self, coin: str, kind: str, count: int = 1) -> None:
        """Order the same of a coin's trades at all venues."""
        for exchange in self.urls:
            await self.order(exchange, kind=kind, stream=self.stream(exchange, coin), count=count)

    def stream(self, exchange: str, coin: str) -> str:
        symbol = self.listing(exchange, coin).symbol
        return _STREAMS[exchange].format(symbol.lower() if exchange == "binance" else symbol)

    async def ledger(self, exchange: str, coin: str) -> tuple[set[int], set[int]]:
        """Return the numbers of a coin's trades that were sent, and of those withheld."""
        answer = await self.http.get(f"{self.urls[exchange]}/_sim/ledger", params={"trades": ""})
        of = answer.json()["trades"].get(self.stream(exchange, coin), {"sent": [], "withheld": []})
        sent, withheld = (
            {number for first, last in of[kind] for number in range(first, last + 1)}
            for kind in ("sent", "withheld")
        )
        return sent, withheld

    def numbers(self, exchange: str, coin: str) -> dict[int, list[Trade]]:
        """Return the trades on the topic by each of their numbers."""
        found: defaultdict[int, list[Trade]] = defaultdict(list)
        for trade in self.trades(exchange, coin):
            for number in _numbers(trade):
                found[number].append(trade)
        return found

    def counted(self, name: str, **labels: str) -> float:
        """Return a metric of this process, of all that ever ran in it."""
        return sum(
            sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def has_all(self, exchange: str, coin: str) -> None:
        """Wait for all trades that were sent or withheld; see that each is there, and once."""
        sent, withheld = await self.ledger(exchange, coin)
        made = range(min(sent), max(sent | withheld) + 1)
        await eventually(lambda: self.numbers(exchange, coin).keys() == {*made}, 30)
        assert {len(trades) for trades in self.numbers(exchange, coin).values()} == {1}

    async def flow(self, exchanges: Iterable[str], coins: Sequence[str]) -> None:
        """Wait until every coin has traded anew on every venue, and it is on the topic."""
        since_ms, seen = self.clock.now_ms(), len(self.told[TRADES.name])
        wanted = {(exchange, coin) for exchange in exchanges for coin in coins}

        def there() -> bool:
            new = self.told[TRADES.name][seen:]
            return wanted <= {(e.exchange, e.coin) for e in new if e.ts_event_ms >= since_ms}

        await eventually(there, 30)

    def force(self, coins: Sequence[str], *, longs: bool = True) -> None:
        """Have somebody liquidated of each coin on every venue, of whatever it lists."""
        for venue in self.world.venues.values():
            for coin in coins:
                listing = self.listing(venue.name, coin)
                price = listing.contract.price
                order = Liquidation(longs, 50_000 / price, price, price)
                venue.window.add(Forced(listing, order, self.clock.now_ms()))

    async def run(self, pace: float) -> None:
        """Let time pass, and the market go on."""
        while True:
            await asyncio.sleep(_STEP_S)
            self.clock.advance(_STEP_S * pace)
            if self.clock.now_ms() - self._forced_ms >= _FORCED_EVERY_MS:
                self.force(self.falling, longs=self._forced_ms // _FORCED_EVERY_MS % 2 == 0)
                self._forced_ms += _FORCED_EVERY_MS
            if self.flows:
                self.world.step(self.clock.now_ms())


def _numbers(trade: Trade) -> range:
    """Return the venue's numbers of a trade: of Bybit's, those that the fake hides in its ids."""
    if trade.exchange == "bybit":
        number = int(trade.event_id[-12:], 16)
        return range(number, number + 1)
    first, last = numbers_of(trade.event_id)
    return range(first, last + 1)


@pytest.fixture
def live(bootstrap, monkeypatch):
    """Return what runs services before simulated venues; polls follow one another closely."""
    monkeypatch.setattr("oi_poller.edge.venue.CACHE_MS", 500)
    monkeypatch.setattr("oi_poller.service._PATIENCE", 20)
    monkeypatch.setattr("oi_poller.service.SHARE", _UNLIMITED)
    monkeypatch.setattr("ingest_trades.service.SHARE", _UNLIMITED)
    monkeypatch.setattr("foreshock_simulator.venue.base.Venue.notice_s", 1.5)
    monkeypatch.setattr("foreshock_kit.feeds._JUDGE_EVERY_S", 0.2)
    monkeypatch.setattr("foreshock_kit.sockets._RENEWED_AFTER_S", 0.0)

    @asynccontextmanager
    async def running(
        coins: Sequence[str],
        *,
        exchanges: Sequence[str] = VENUES,
        services: Sequence = (poller, trades, liquidations),
        begin: Callable[[Live], Awaitable[None]] | None = None,
        quiet: Sequence[str] = (),
        pace: float = 1.0,
        poll_s: float = 1.0,
        contracts_every_s: float = 3_600.0,
    ) -> AsyncIterator[Live]:
        monkeypatch.setattr("oi_poller.edge.venue_poll._HOURLY_MS", contracts_every_s * 1000)
        clock = Clock()
        profiles = [
            replace(each, trades_per_s=_QUIET_PER_S) if each.base in quiet else each
            for each in DEMO
            if each.base in coins
        ]
        shares = dict.fromkeys(exchanges, 1 / len(exchanges))
        world = World(7, clock.now_ms(), "calm", shares, profiles)
        async with AsyncExitStack() as stack:
            urls = {
                name: await stack.enter_async_context(serve(venue, "127.0.0.1", 0))
                for name, venue in world.venues.items()
            }
            market = Live(world, urls, clock)
            await stack.enter_async_context(market.http)
            await stack.enter_async_context(asyncio.timeout(150))
            group = await stack.enter_async_context(asyncio.TaskGroup())
            contexts = [Context(each.SERVICE.name, clock=clock) for each in services]
            watching = Context("test", clock=clock)
            stack.callback(lambda: [each.stop.set() for each in [*contexts, watching]])
            topics = (TRADES, LIQUIDATIONS, FEED_HEALTH, INSTRUMENTS, OPEN_INTEREST, SIGNALS)
            broker = KafkaSettings(kafka_bootstrap_servers=bootstrap)
            await keep_following(
                group, broker, watching, dict.fromkeys(topics, 0), market.on_record
            )
            stack.callback(group.create_task(market.run(pace)).cancel)
            if begin is not None:
                await begin(market)
            for service, context in zip(services, contexts, strict=True):
                told = service.SERVICE.settings(
                    **_settings(bootstrap, urls, coins, poll_s, service)
                )
                group.create_task(service.SERVICE.run(told, context))
            yield market

    return running


def _settings(
    bootstrap: str, urls: dict[str, str], coins: Sequence[str], poll_s: float, service
) -> dict:
    where = {
        "kafka_bootstrap_servers": bootstrap,
        "exchanges": tuple(urls),
        "exchange_rest_urls": tuple(f"{name}={url}" for name, url in urls.items()),
        "exchange_ws_urls": tuple(
            f"{name}={url.replace('http', 'ws')}" for name, url in urls.items()
        ),
    }
    if service is not poller:
        return where
    return where | {"coins": tuple(coins), "market_cap_sources": ("bundled",), "oi_poll_s": poll_s}
