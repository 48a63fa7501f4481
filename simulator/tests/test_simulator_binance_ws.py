"""The simulated Binance's websocket as a foreign client sees it, field by field."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel, Ignored
from foreshock_schemas.events import Liquidation, Trade
from foreshock_simulator.binance.streams import MAX_STREAMS
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

T0 = 1_790_000_000_000
SHOCK_S = 32
AGG_TRADE = {"e", "E", "a", "s", "p", "q", "nq", "f", "l", "T", "m", "st"}
FORCE_ORDER = {"s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T", "ps", "st"}
MARK_PRICE = {"e", "E", "s", "p", "ap", "P", "i", "r", "T", "st"}


@pytest.fixture
async def world():
    return World(7, T0, shares={"binance": 1.0})


@pytest.fixture
async def venue(world):
    return world.venues["binance"]


@pytest.fixture
async def base(venue):
    async with asyncio.timeout(20), serve(venue, "127.0.0.1", 0) as url:
        yield url.replace("http", "ws", 1)


@asynccontextmanager
async def client(url):
    async with connect(url, proxy=None, compression=None) as socket:
        await ask(socket, method="LIST_SUBSCRIPTIONS", id=0)  # answered: the venue knows it
        yield socket


async def ask(socket, **message):
    await socket.send(json.dumps(message))
    return json.loads(await socket.recv())


async def heard(socket, world, seconds):
    """Let seconds pass for the venue; return the frames that its one listener gets."""
    for _ in range(seconds * 10):
        world.step(world.now_ms + 100)
    (listener,) = world.venues["binance"].listeners
    return [await socket.recv(decode=False) for _ in range(listener.frames.qsize())]


async def test_raw_and_combined_streams_carry_the_same_payloads(world, base):
    async with client(f"{base}/market/ws/btcusdt@aggTrade") as raw:
        bare = [json.loads(frame) for frame in await heard(raw, world, 2)]
    world_again = World(7, T0, shares={"binance": 1.0})
    async with serve(world_again.venues["binance"], "127.0.0.1", 0) as url:
        there = f"{url.replace('http', 'ws', 1)}/market/stream?streams=btcusdt@aggTrade"
        async with client(there) as combined:
            wrapped = [json.loads(frame) for frame in await heard(combined, world_again, 2)]
    assert bare
    assert wrapped == [{"stream": "btcusdt@aggTrade", "data": payload} for payload in bare]


async def test_combined_can_be_switched_on_an_open_socket(world, base):
    async with client(f"{base}/market/ws/btcusdt@aggTrade") as socket:
        on = await ask(socket, method="SET_PROPERTY", params=["combined", True], id=1)
        assert on == {"result": None, "id": 1}
        assert all(b'"stream":"btcusdt@aggTrade"' in f for f in await heard(socket, world, 2))


async def test_what_is_unsubscribed_stays_away(world, base):
    async with client(f"{base}/market/ws") as socket:
        both = ["btcusdt@aggTrade", "ethusdt@aggTrade"]
        await ask(socket, method="SUBSCRIBE", params=both, id=1)
        before = [json.loads(frame)["s"] for frame in await heard(socket, world, 3)]
        await ask(socket, method="UNSUBSCRIBE", params=both[:1], id=2)
        after = [json.loads(frame)["s"] for frame in await heard(socket, world, 3)]
    assert set(before) == {"BTCUSDT", "ETHUSDT"}
    assert set(after) == {"ETHUSDT"}


@pytest.mark.parametrize(
    ("message", "code", "why"),
    [
        ({"id": 1}, 2, "missing field `method`"),
        ({"method": "SHOUT", "id": 1}, 2, "unknown variant SHOUT"),
        ({"method": "SUBSCRIBE", "params": ["a@aggTrade"]}, 2, "must be an unsigned integer"),
        ({"method": "SUBSCRIBE", "params": ["a@aggTrade"], "id": True}, 2, "unsigned integer"),
        ({"method": "SUBSCRIBE", "params": None, "id": 1}, 2, "Invalid request"),
        ({"method": "SUBSCRIBE", "params": ["x"] * (MAX_STREAMS + 1), "id": 1}, 2, "too many"),
        ({"method": "SET_PROPERTY", "params": ["volume", 1], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1, "expected Boolean"),
        ([], 2, "missing field `method`"),
    ],
)
async def test_a_bad_request_gets_its_error_and_changes_nothing(base, message, code, why):
    async with client(f"{base}/market/ws/btcusdt@aggTrade") as socket:
        await socket.send(json.dumps(message))
        answer = await socket.recv()
        listed = await ask(socket, method="LIST_SUBSCRIPTIONS", id=9)
    assert json.loads(answer)["code"] == code
    assert why in json.loads(answer)["msg"]
    assert load("binance").parse(answer.encode(), T0) is Ignored.SUBSCRIBE_ERROR
    assert listed == {"result": ["btcusdt@aggTrade"], "id": 9}


async def test_the_eleventh_message_of_a_second_ends_the_connection(base):
    async with client(f"{base}/market/ws") as socket:
        for number in range(1, 10):
            assert (await ask(socket, method="LIST_SUBSCRIPTIONS", id=number))["id"] == number
        with pytest.raises(ConnectionClosed) as closed:
            await ask(socket, method="LIST_SUBSCRIPTIONS", id=10)
    assert closed.value.rcvd.code == 1008


async def test_an_agg_trade_has_the_documented_fields(world, base):
    async with client(f"{base}/market/ws/btcusdt@aggTrade") as socket:
        rows = [json.loads(frame) for frame in await heard(socket, world, 5)]
    assert {(row["e"], row["s"], row["st"]) for row in rows} == {("aggTrade", "BTCUSDT", 1)}
    for row in rows:
        assert set(row) == AGG_TRADE
        assert row["T"] <= row["E"] < row["T"] + 1000
        assert 0 < float(row["nq"]) <= float(row["q"])
        assert row["f"] <= row["l"]
        assert isinstance(row["m"], bool)
    assert all(b["a"] == a["a"] + 1 for a, b in itertools.pairwise(rows))
    assert all(b["f"] == a["l"] + 1 for a, b in itertools.pairwise(rows))
    assert {row["m"] for row in rows} == {True, False}


async def test_a_force_order_has_the_documented_fields_and_one_shows_a_second(world, base):
    async with client(f"{base}/market/ws/!forceOrder@arr") as socket:
        rows = [json.loads(frame) for frame in await heard(socket, world, SHOCK_S)]
    assert {row["o"]["S"] for row in rows} == {"SELL", "BUY"}
    for row in rows:
        order = row["o"]
        assert set(row) == {"e", "E", "o"}
        assert set(order) == FORCE_ORDER
        assert (order["o"], order["f"], order["X"]) == ("LIMIT", "IOC", "FILLED")
        assert 0 <= float(order["l"]) <= float(order["z"]) == float(order["q"])
        worse, paid = float(order["p"]), float(order["ap"])
        assert worse < paid if order["S"] == "SELL" else worse > paid
        assert 0 <= row["E"] - order["T"] <= 1000
    shown = [(row["o"]["s"], row["E"] // 1000) for row in rows]
    assert len(shown) == len(set(shown))


async def test_mark_prices_come_every_second_and_tradfi_apart(world, base):
    async with client(f"{base}/market/ws/!markPrice@arr@1s") as socket:
        lists = [json.loads(frame) for frame in await heard(socket, world, 3)]
    assert len(lists) == 6
    assert all(set(row) == MARK_PRICE for rows in lists for row in rows)
    assert all(row["T"] > row["E"] and row["T"] % 28_800_000 == 0 for r in lists for row in r)
    assert [[row["s"] for row in rows] for rows in lists] == 3 * [
        list(world.market.contracts),
        ["TSLAUSDT"],
    ]


@pytest.mark.parametrize("path", ["/ws", "/public/ws", "/stream", "/public/stream"])
async def test_market_streams_come_only_on_the_market_path(world, base, path):
    async with client(base + path) as socket:
        names = ["btcusdt@aggTrade", "!forceOrder@arr", "btcusdt@trade"]
        assert (await ask(socket, method="SUBSCRIBE", params=names, id=1))["result"] is None
        frames = [json.loads(frame) for frame in await heard(socket, world, SHOCK_S)]
    assert {frame.get("data", frame)["e"] for frame in frames} == {"trade"}


@pytest.mark.parametrize("channel", list(Channel))
async def test_the_adapters_own_feed_is_served_and_read_without_a_flaw(world, base, channel):
    adapter = load("binance")
    (feed,) = adapter.feeds(channel, ["DASHUSDT", "1000PEPEUSDT", "NOSUCHUSDT"], base)
    async with client(feed.url) as socket:
        for hello in feed.hello:
            await socket.send(hello)
            assert adapter.parse(await socket.recv(decode=False), T0) is Ignored.ACK
        parsed = [adapter.parse(f, world.now_ms) for f in await heard(socket, world, SHOCK_S)]
    wanted = Liquidation if channel is Channel.LIQUIDATIONS else Trade
    events = [e for each in parsed if isinstance(each, list) for e in each if type(e) is wanted]
    assert {"DASH", "PEPE"} <= {event.coin for event in events}
    assert all(
        event.size_coins * event.price == pytest.approx(event.notional_usd) for event in events
    )
    assert not [each for each in parsed if isinstance(each, Ignored)]


async def test_coin_margined_orders_are_among_all_liquidations_and_are_left_out(world, base):
    async with client(f"{base}/market/ws/!forceOrder@arr") as socket:
        frames = await heard(socket, world, 95)
    others = [frame for frame in frames if json.loads(frame)["o"]["st"] == 2]
    assert len(others) == 2
    for frame in others:
        assert load("binance").parse(frame, world.now_ms) is Ignored.OTHER_MARKET


@pytest.mark.parametrize("shown", ["largest", "latest"])
async def test_of_a_contracts_orders_in_a_second_the_largest_or_the_latest_is_shown(serving, shown):
    async with serving("binance", shares={"binance": 1.0}) as served:
        assert await served.order(kind="sample", shown=shown) == 200
        async with served.socket("/market/ws/btcusdt@forceOrder") as socket:
            frames = await socket.heard(SHOCK_S)
        happened = [
            (each.time_ms // 1000, each.liquidation.units)
            for each in served.venue.forced
            if each.listing.symbol == "BTCUSDT" and each.time_ms >= T0
        ]
    seconds = {}
    for second, units in happened:
        seconds.setdefault(second, []).append(units)
    del seconds[min(seconds)]  # the venue keeps only the newest thousand: some may be gone
    assert any(len(units) > 2 for units in seconds.values())
    told = [(row["o"]["T"] // 1000, float(row["o"]["z"])) for row in frames]
    assert len(told) > 5
    for second, size in told:
        if second in seconds:
            units = seconds[second]
            assert size == pytest.approx(max(units) if shown == "largest" else units[-1])


async def test_the_server_pings_and_drops_who_does_not_pong(serving):
    async with (
        serving("binance", time_scale=2e-3) as served,
        served.http.ws_connect("/market/ws", autoping=False) as socket,
    ):
        said = [(await socket.receive(timeout=5)).type.name for _ in range(5)]
    assert said == [*4 * ["PING"], "CLOSE"]


async def test_a_pong_keeps_the_connection(serving):
    async with serving("binance") as served, served.socket("/market/ws") as socket:
        cut = socket.listener.life._cut
        begun = cut.when()
        await socket.raw.pong()
        await socket.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert cut.when() > begun


async def test_a_day_is_the_longest_that_a_connection_lasts(serving):
    async with serving("binance", time_scale=5e-6) as served, served.socket("/market/ws") as socket:
        life = socket.listener.life
        life._idle_s = float("inf")
        life.renew()
        assert life._cut.when() == life._ends
        await socket.ended()
