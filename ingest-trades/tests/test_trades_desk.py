"""From frames to trades and bars on their topics, with a publisher in memory."""

import json

import pytest

from foreshock_exchanges import load
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_kit.universe import Universe
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import BARS, TRADES
from ingest_trades.edge.desk import TradeDesk

NOW = 1_790_000_000_000


def trade(number, at_ms, size="2"):
    row = {"e": "aggTrade", "E": at_ms, "a": number, "s": "BTCUSDT", "p": "100", "q": size}
    return json.dumps(row | {"T": at_ms, "m": False}, separators=(",", ":")).encode()


@pytest.fixture
def world():
    publisher, clock = MemoryPublisher(), FakeClock(NOW)
    universe = Universe()
    universe.apply(sample(MarketStats, coin="BTC"))
    desk = TradeDesk(load("binance"), "wss://host", universe, publisher, clock)
    return desk, publisher, clock


async def test_trades_become_records_and_after_their_second_a_bar(world):
    desk, publisher, clock = world
    assert await desk.on_frame(trade(1, NOW), 0) == "market"
    assert await desk.on_frame(trade(2, NOW + 400), 0) == "market"
    assert not publisher.on(BARS)
    clock.advance(2.5)
    assert await desk.on_frame(trade(3, NOW + 2_500), 0) == "market"
    assert [t.event_id[-1] for t in publisher.on(TRADES)] == ["1", "2", "3"]
    bar = publisher.on(BARS)[0]
    assert (bar.start_ms, bar.trades, bar.notional_usd, bar.taker_buy_usd) == (NOW, 2, 400.0, 400.0)


async def test_what_is_no_market_data_proves_nothing(world):
    desk, publisher, _ = world
    for frame in (b'{"result":null,"id":1}', b"{", trade(1, NOW, size="-1")):
        assert await desk.on_frame(frame, 0) == "other"
    assert not publisher.records
    assert {n: c for n, r, c in desk.counts() if not r}["malformed"] == 2


async def test_a_repeat_is_counted_once(world):
    desk, publisher, _ = world
    assert await desk.on_frame(trade(1, NOW), 0) == "market"
    assert await desk.on_frame(trade(1, NOW), 0) == "market", "the market's all the same"
    assert len(publisher.on(TRADES)) == 1


def marks(at_ms, *symbols):
    rows = [{"e": "markPriceUpdate", "E": at_ms, "s": s, "p": "100", "i": "100"} for s in symbols]
    return json.dumps(rows).encode()


async def test_a_coin_that_is_followed_no_longer_is_heard_of_no_more(world):
    desk, publisher, clock = world
    btc, eth = (
        sample(Instrument, exchange="binance", symbol=f"{coin}USDT", coin=coin)
        for coin in ("BTC", "ETH")
    )
    desk._universe.apply(sample(MarketStats, coin="ETH"))
    desk.feeds([btc, eth])
    for _ in range(15):
        await desk.on_frame(marks(clock.now_ms(), "BTCUSDT", "ETHUSDT"), 0)
        clock.advance(1)
    assert {bar.coin for bar in publisher.on(BARS)} == {"BTC", "ETH"}
    told = len(publisher.on(BARS))
    desk._universe.apply(sample(MarketStats, coin="ETH", in_universe=False))
    desk.feeds([btc])
    for _ in range(25):
        await desk.on_frame(marks(clock.now_ms(), "BTCUSDT", "ETHUSDT"), 0)
        clock.advance(1)
    assert {bar.coin for bar in publisher.on(BARS)[told:]} == {"BTC"}


async def test_marks_make_bars_of_coins_that_are_followed_only(world):
    desk, publisher, clock = world
    for second in range(25):
        assert await desk.on_frame(marks(clock.now_ms(), "BTCUSDT", "ETHUSDT"), 0) == "market", (
            second
        )
        clock.advance(1)
    bars = publisher.on(BARS)
    assert {bar.coin for bar in bars} == {"BTC"}
    assert {bar.mark_price for bar in bars} == {100.0}
