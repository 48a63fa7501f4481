"""Trouble to order, the same at every venue, and the ledger that proves what it did."""

import itertools
import json
from contextlib import asynccontextmanager
from typing import ClassVar

import aiohttp
import pytest

T0 = 1_790_000_000_000


class Binance:
    name, path = "binance", "/market/ws"
    refusals: ClassVar = {429: -1003, 418: -1003, 403: None, 451: 0}
    time, instruments = "/fapi/v1/time", "/fapi/v1/exchangeInfo"
    symbol, new = "BTCUSDT", "NEWUSDT"

    @staticmethod
    def stream(coin):
        return f"{coin.lower()}usdt@aggTrade"

    @staticmethod
    def forced(_coin):
        return "!forceOrder@arr"

    @staticmethod
    def subscribe(*streams):
        return {"method": "SUBSCRIBE", "params": list(streams), "id": 1}

    @staticmethod
    def refused(answer):
        return "code" in answer

    @staticmethod
    def trades(frames):
        """Return coin, number, time of every trade in frames."""
        found = [frame for frame in frames if frame.get("e") == "aggTrade"]
        return [(frame["s"].removesuffix("USDT"), frame["a"], frame["T"]) for frame in found]

    @staticmethod
    def liquidated_ms(frames):
        return [frame["o"]["T"] for frame in frames if frame.get("e") == "forceOrder"]

    @staticmethod
    def statuses(body):
        return {row["symbol"]: row["status"] for row in body["symbols"]}


class Bybit:
    name, path = "bybit", "/v5/public/linear"
    refusals: ClassVar = {429: 10006, 403: 10006, 451: 10024}
    time = "/v5/market/time"
    instruments = "/v5/market/instruments-info?category=linear"
    symbol, new = "BTCUSDT", "NEWUSDT"

    @staticmethod
    def stream(coin):
        return f"publicTrade.{coin}USDT"

    @staticmethod
    def forced(coin):
        return f"allLiquidation.{coin}USDT"

    @staticmethod
    def subscribe(*streams):
        return {"op": "subscribe", "args": list(streams)}

    @staticmethod
    def refused(answer):
        return not answer["success"]

    @staticmethod
    def trades(frames):
        rows = [
            row
            for frame in frames
            if frame.get("topic", "").startswith("publicTrade")
            for row in frame["data"]
        ]
        return [(r["s"].removesuffix("USDT"), int(r["i"][-12:], 16), r["T"]) for r in rows]

    @staticmethod
    def liquidated_ms(frames):
        found = [f for f in frames if f.get("topic", "").startswith("allLiquidation")]
        return [row["T"] for frame in found for row in frame["data"]]

    @staticmethod
    def statuses(body):
        return {row["symbol"]: row["status"] for row in body["result"]["list"]}


class Okx:
    name, path = "okx", "/ws/v5/public"
    refusals: ClassVar = {429: "50011", 403: None, 451: "50125"}
    time, instruments = "/api/v5/public/time", "/api/v5/public/instruments?instType=SWAP"
    symbol, new = "BTC-USDT-SWAP", "NEW-USDT-SWAP"

    @staticmethod
    def stream(coin):
        return f"trades:{coin}-USDT-SWAP"

    @staticmethod
    def forced(_coin):
        return "liquidation-orders:SWAP"

    @staticmethod
    def subscribe(*streams):
        pairs = [stream.split(":") for stream in streams]
        return {
            "op": "subscribe",
            "args": [
                {"channel": c, "instType" if of == "SWAP" else "instId": of} for c, of in pairs
            ],
        }

    @staticmethod
    def refused(answer):
        return answer["event"] == "error"

    @staticmethod
    def trades(frames):
        rows = [
            r
            for f in frames
            if f.get("arg", {}).get("channel") == "trades"
            for r in f.get("data", ())
        ]
        return [
            (row["instId"].partition("-")[0], number, int(row["ts"]))
            for row in rows
            for number in range(
                int(row["tradeId"]) - int(row["count"]) + 1, int(row["tradeId"]) + 1
            )
        ]

    @staticmethod
    def liquidated_ms(frames):
        rows = [row for frame in frames for row in frame.get("data", ()) if "details" in row]
        return [int(each["ts"]) for row in rows for each in row["details"]]

    @staticmethod
    def statuses(body):
        return {row["instId"]: row["state"] for row in body["data"]}


@pytest.fixture(params=[Binance, Bybit, Okx], ids=lambda wire: wire.name)
def wire(request):
    return request.param


@pytest.fixture
async def served(serving, wire):
    async with serving(wire.name) as found:
        yield found


@asynccontextmanager
async def following(served, wire, *streams):
    """Return a connection that has subscribed to streams and read the answers."""
    async with served.socket(wire.path) as socket:
        for stream in streams:
            await socket.ask(wire.subscribe(stream))
        await socket.waiting()
        yield socket


def numbers(ranges):
    return [number for first, last in ranges for number in range(first, last + 1)]


def of(coin, trades):
    return [number for name, number, _ in trades if name == coin]


async def test_what_is_muted_is_acknowledged_and_silent_until_it_is_lifted(served, wire):
    assert await served.order(kind="mute", stream=wire.stream("BTC")) == 200
    async with following(served, wire, wire.stream("ETH")) as socket:
        assert not wire.refused(await socket.ask(wire.subscribe(wire.stream("BTC"))))
        muted = wire.trades(await socket.heard(5))
        assert await served.order(kind="lift") == 200
        after = wire.trades(await socket.heard(5))
    ledger = (await served.ledger())["trades"]
    assert of("BTC", muted) == []
    assert numbers(ledger[wire.stream("ETH")]["sent"]) == of("ETH", muted + after)
    assert numbers(ledger[wire.stream("BTC")]["sent"]) == of("BTC", after) != []
    withheld = numbers(ledger[wire.stream("BTC")]["withheld"])
    assert withheld
    assert withheld[-1] + 1 == of("BTC", after)[0]


async def test_the_ledger_proves_that_nobody_else_lost_what_was_dropped(served, wire):
    coins = ("BTC", "ETH", "SOL")
    async with following(served, wire, *map(wire.stream, coins)) as socket:
        await served.order(kind="drop", stream=wire.stream("BTC"), count=3)
        frames = await socket.heard(10)
    trades, ledger = wire.trades(frames), await served.ledger()
    told = ledger["trades"]
    for coin in coins:
        assert numbers(told[wire.stream(coin)]["sent"]) == of(coin, trades)
    lost = numbers(told[wire.stream("BTC")]["withheld"])
    assert ledger["withheld"] == {wire.stream("BTC"): 3}
    together = sorted(lost + of("BTC", trades))
    assert together == list(range(together[0], together[-1] + 1))
    assert [told[wire.stream(coin)]["withheld"] for coin in coins[1:]] == [[], []]


async def test_frames_come_twice_as_often_as_ordered(served, wire):
    async with following(served, wire, wire.stream("BTC"), wire.stream("ETH")) as socket:
        await served.order(kind="duplicate", stream=wire.stream("BTC"), count=2)
        frames = await socket.heard(5)
    raw = [json.dumps(frame) for frame in frames]
    assert len(raw) - len(set(raw)) == 2
    assert len(set(of("ETH", wire.trades(frames)))) == len(of("ETH", wire.trades(frames)))
    assert sum((await served.ledger())["sent"].values()) >= len(raw)


async def test_a_frame_held_back_comes_after_the_next(served, wire):
    async with following(served, wire, wire.stream("BTC")) as socket:
        await served.order(kind="reorder", stream=wire.stream("BTC"))
        found = of("BTC", wire.trades(await socket.heard(5)))
    assert found != sorted(found)
    assert sorted(found) == list(range(min(found), max(found) + 1))
    assert sum(a > b for a, b in itertools.pairwise(found)) == 1


@pytest.mark.parametrize("ms", [2000, -2000])
async def test_the_venues_clock_can_be_wrong(served, wire, ms):
    assert await served.order(kind="skew", ms=ms) == 200
    async with following(served, wire, wire.stream("BTC")) as socket:
        times = [at for _, _, at in wire.trades(await socket.heard(3))]
    assert all(T0 + ms <= at <= T0 + 3000 + ms for at in times)
    assert times


async def test_a_half_open_connection_stays_and_says_nothing(served, wire):
    async with following(served, wire, wire.stream("BTC")) as socket:
        async with following(served, wire, wire.stream("ETH")) as other:
            assert await served.order(kind="half_open", stream=wire.stream("BTC")) == 200
            assert wire.trades(await other.heard(3))
            await socket.say(wire.subscribe(wire.stream("SOL")))
            await socket.raw.ping()
            with pytest.raises(TimeoutError):
                await socket.raw.receive(timeout=0.2)
        assert not socket.raw.closed
        assert socket.listener in served.venue.listeners
    told = (await served.ledger())["trades"][wire.stream("BTC")]
    assert told["sent"] == []
    assert told["withheld"]


async def test_requests_are_refused_as_often_as_ordered_and_only_where(served, wire):
    for status, code in wire.refusals.items():
        order = {"kind": "http", "status": status, "count": 2, "path": wire.time}
        assert await served.order(**order) == 200
        async with served.http.get(wire.instruments) as answer:
            assert answer.status == 200
        for _ in range(2):
            async with served.http.get(wire.time) as answer:
                assert answer.status == status
                if code is not None:
                    body = await answer.json()
                    assert code in {body.get("code"), body.get("retCode")}
                told = "Retry-After" in answer.headers
                assert told == (wire is Binance and status in {429, 418})
        async with served.http.get(wire.time) as answer:
            assert answer.status == 200


async def test_requests_and_sockets_are_refused_for_as_long_as_ordered(served, wire):
    assert await served.order(kind="http", status=403, seconds=5) == 200
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await served.http.ws_connect(wire.path)
    assert refused.value.status == 403
    served.step(4.9)
    async with served.http.get(wire.time) as answer:
        assert answer.status == 403
    served.step(0.1)
    async with served.http.get(wire.time) as answer:
        assert answer.status == 200


async def test_a_contract_that_was_announced_begins_to_trade(served, wire):
    before = wire.statuses(await served.get(wire.instruments))
    live = before[wire.symbol]
    assert before[wire.new] != live
    async with following(served, wire, wire.stream("BTC")) as socket:
        assert await served.order(kind="listing", base="NEW") == 200
        assert wire.statuses(await served.get(wire.instruments)) == before | {wire.new: live}
        await socket.ask(wire.subscribe(wire.stream("NEW")))
        assert of("NEW", wire.trades(await socket.heard(10)))


async def test_a_contract_that_leaves_is_silent_and_cannot_be_subscribed_to(served, wire):
    before = wire.statuses(await served.get(wire.instruments))
    async with following(served, wire, wire.stream("BTC"), wire.stream("ETH")) as socket:
        assert await served.order(kind="delisting", symbol=wire.symbol) == 200
        trades = wire.trades(await socket.heard(5))
        answer = await socket.ask(wire.subscribe(wire.stream("BTC")))
    after = wire.statuses(await served.get(wire.instruments))
    assert of("BTC", trades) == []
    assert of("ETH", trades)
    assert wire.refused(answer) == (wire is not Binance), "Binance acknowledges everything"
    assert {name for name in before if before[name] != after[name]} == {wire.symbol}
    assert await served.order(kind="delisting", symbol="NOSUCH") == 400


async def test_old_liquidations_come_with_the_next_subscription_only(served, wire):
    stream = wire.forced("BTC")
    usual = 30 if wire is Okx else 0
    assert await served.order(kind="history", stream=stream, count=7) == 200
    for expected in (usual + 7, usual):
        async with served.socket(wire.path) as socket:
            await socket.say(wire.subscribe(stream))
            frames = [await socket.frame()]
            while len(wire.liquidated_ms(frames)) < expected:
                frames.append(await socket.frame())
            old = wire.liquidated_ms(frames)
            frames = [await socket.ask({"anything": 1})]
        assert len(old + wire.liquidated_ms(frames)) == expected
        assert all(at <= T0 - 60_000 for at in old)


async def test_old_trades_come_again_if_so_ordered(served, wire):
    async with following(served, wire, wire.stream("BTC")) as socket:
        live = wire.trades(await socket.heard(5))
    await served.order(kind="history", stream=wire.stream("BTC"), count=2)
    async with served.socket(wire.path) as socket:
        await socket.say(wire.subscribe(wire.stream("BTC")))
        frames = [await socket.frame(), await socket.frame()]
        if wire is not Bybit:
            frames.append(await socket.frame())
    again = wire.trades(frames)
    assert again == live[-len(again) :] != []


async def test_a_bad_topic_is_refused_as_the_venue_refuses(served, wire):
    assert await served.order(kind="bad_topic", stream=wire.stream("BTC")) == 200
    async with served.socket(wire.path) as socket:
        answer = await socket.ask(wire.subscribe(wire.stream("BTC"), wire.stream("ETH")))
        trades = wire.trades(await socket.heard(5))
    assert wire.refused(answer) == (wire is not Binance)
    assert of("BTC", trades) == []
    assert bool(of("ETH", trades)) == (wire is not Bybit), "there one bad topic spoils all"


async def test_connections_are_cut_all_or_one(served, wire):
    async with (
        following(served, wire, wire.stream("BTC")) as one,
        following(served, wire, wire.stream("ETH")) as two,
        following(served, wire, wire.stream("ETH")) as three,
    ):
        assert await served.order(kind="disconnect", stream=wire.stream("BTC")) == 200
        await one.ended()
        assert wire.trades(await two.heard(3))
        assert await served.order(kind="disconnect", count=1, stream=wire.stream("ETH")) == 200
        assert await served.order(kind="disconnect") == 200
        await two.ended()
        await three.ended()


async def test_a_server_that_goes_down_says_so_where_it_would(serving, wire):
    async with serving(wire.name, time_scale=1e-3) as served, served.socket(wire.path) as socket:
        assert await served.order(kind="shutdown") == 200
        said = await socket.ended()
    heard = {frame.get("e") or frame.get("code") for frame in said}
    assert heard == {"binance": {"serverShutdown"}, "bybit": set(), "okx": {"64008"}}[wire.name]


async def test_who_does_not_keep_up_is_cut(served, wire):
    stream = wire.stream("BTC")
    async with following(served, wire, stream) as socket:
        for number in range(4100):  # in one go: nothing is sent meanwhile
            served.venue.publish(stream, {"number": number}, numbers=(number, number))
        await socket.ended()
    told = (await served.ledger())["trades"][stream]
    assert told == {"sent": [[0, 4095]], "withheld": [[4096, 4099]]}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (b"", "truncated"),
        (b"garbage", "malformed"),
        (b"[]", "object"),
        (b'{"kind":"rain"}', "rain"),
        (b'{"count":1}', "kind"),
        (b'{"kind":"drop"}', "stream"),
        (b'{"kind":"drop","stream":"a","count":"x"}', "count"),
        (b'{"kind":"drop","stream":"a","count":0}', "count"),
        (b'{"kind":"drop","stream":1}', "stream"),
        (b'{"kind":"drop","stream":"a","more":1}', "more"),
        (b'{"kind":"http","status":500,"count":1}', "status"),
        (b'{"kind":"http","status":429}', "count"),
        (b'{"kind":"skew","ms":1.5}', "ms"),
        (b'{"kind":"listing","base":"not a coin"}', "base"),
        (b'{"kind":"sample","shown":"none"}', "shown"),
    ],
)
async def test_what_cannot_be_ordered_is_refused_and_told_why(okx, fault, why):
    async with okx.http.post("/_sim/fault", data=fault) as answer:
        assert answer.status == 400
        assert why in await answer.text()


async def test_the_ledger_counts_frames_and_rows(served, wire):
    async with following(served, wire, wire.stream("BTC")) as socket:
        frames = await socket.heard(5)
    ledger = await served.get("/_sim/ledger")
    assert ledger["sent"] == {wire.stream("BTC"): len(frames)}
    rows = len(frames) if wire is not Bybit else len(wire.trades(frames))
    assert ledger["rows"] == {wire.stream("BTC"): rows}
    assert "trades" not in ledger


async def test_what_comes_is_in_order_when_nothing_is_ordered(served, wire):
    async with following(served, wire, wire.stream("BTC")) as socket:
        found = of("BTC", wire.trades(await socket.heard(5)))
    assert all(a + 1 == b for a, b in itertools.pairwise(found))
