"""The simulated OKX's websocket as a foreign client sees it, field by field."""

import itertools
import json

import aiohttp
import pytest

PATH = "/ws/v5/public"
SHOCK_S = 32
LIQUIDATIONS = {"channel": "liquidation-orders", "instType": "SWAP"}
TRADES = {"channel": "trades", "instId": "BTC-USDT-SWAP"}
TRADE = {"instId", "tradeId", "px", "sz", "side", "ts", "count", "source", "seqId"}
DETAIL = {"bkLoss", "bkPx", "ccy", "posSide", "side", "sz", "ts"}


def subscribe(*args, **more):
    return {"op": "subscribe", "args": list(args)} | more


def details(frames):
    """Return all liquidations in frames with their contract."""
    return [(row["instId"], each) for f in frames for row in f["data"] for each in row["details"]]


async def test_every_argument_is_acknowledged_on_its_own(okx):
    async with okx.socket(PATH) as socket:
        args = [TRADES, {"channel": "trades", "instId": "ETH-USDT-SWAP"}, LIQUIDATIONS]
        await socket.say(subscribe(*args, id="a1"))
        acks = [await socket.frame() for _ in args]
        history = await socket.frame()
    assert [ack["arg"] for ack in acks] == args
    assert {(ack["event"], ack["id"]) for ack in acks} == {("subscribe", "a1")}
    assert {len(ack["connId"]) for ack in acks} == {8}
    assert history["arg"] == LIQUIDATIONS


async def test_what_is_unsubscribed_stays_away(okx):
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(TRADES))
        answer = await socket.ask({"op": "unsubscribe", "args": [TRADES]})
        assert await socket.heard(2) == []
    assert (answer["event"], answer["arg"]) == ("unsubscribe", TRADES)


@pytest.mark.parametrize(
    "arg",
    [
        {"channel": "trades", "instId": "NOPE-USDT-SWAP"},
        {"channel": "trades", "instId": "BTCUSDT"},
        {"channel": "trades-all", "instId": "BTC-USDT-SWAP"},
        {"channel": "liquidation-orders", "instType": "MARGIN"},
        {"channel": "trades"},
    ],
)
async def test_what_is_not_there_is_refused_and_the_rest_is_not(okx, arg):
    async with okx.socket(PATH) as socket:
        error = await socket.ask(subscribe(arg, TRADES, id="7"))
        ack = await socket.frame()
        assert await socket.heard(2)
    assert (error["event"], error["code"], error["id"]) == ("error", "60018", "7")
    assert f"channel:{arg['channel']}" in error["msg"]
    assert error["msg"].endswith("doesn't exist.")
    assert ack["arg"] == TRADES


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        {"op": "shout", "args": [TRADES]},
        {"op": "subscribe", "args": "trades"},
        {"op": "subscribe", "args": []},
        {"op": "subscribe", "args": ["trades"]},
        subscribe(*[TRADES] * 1500),
    ],
)
async def test_what_is_no_request_is_60012(okx, message):
    async with okx.socket(PATH) as socket:
        error = await socket.ask(message)
    assert (error["event"], error["code"]) == ("error", "60012")
    assert error["connId"]


async def test_the_481st_operation_of_an_hour_is_60014(okx):
    async with okx.socket(PATH) as socket:
        for _ in range(480):
            await socket.ask({"op": "unsubscribe", "args": [TRADES]})
        error = await socket.ask(subscribe(TRADES))
        assert await socket.heard(1) == []
    assert error["code"] == "60014"


async def test_a_ping_is_text_and_so_is_its_answer(okx):
    async with okx.socket(PATH) as socket:
        await socket.say("ping")
        assert await socket.text() == "pong"


async def test_without_a_word_from_either_side_it_is_dropped(serving):
    async with serving("okx", time_scale=1e-3) as served, served.socket(PATH) as socket:
        assert await socket.ended() == []


async def test_what_is_said_and_what_is_pushed_keep_it(okx):
    async with okx.socket(PATH) as socket:
        cut = socket.listener.life._cut
        begun = cut.when()
        await socket.ask(subscribe(TRADES))
        asked = cut.when()
        frames = await socket.heard(2)
        assert frames
        assert begun < asked < cut.when()


async def test_a_service_upgrade_is_told_half_a_minute_before(serving):
    async with serving("okx", time_scale=1e-3) as served, served.socket(PATH) as socket:
        assert await served.order(kind="shutdown") == 200
        (notice,) = await socket.ended()
    assert (notice["event"], notice["code"]) == ("notice", "64008")
    assert notice["connId"]


@pytest.mark.parametrize("path", ["/ws/v5/business", "/ws", "/"])
async def test_there_is_one_path(okx, path):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await okx.http.ws_connect(path)
    assert refused.value.status == 404


async def test_trades_count_the_single_ones_without_a_gap(okx):
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(TRADES))
        frames = await socket.heard(10)
    rows = [row for frame in frames for row in frame["data"]]
    spans = [(int(r["tradeId"]) - int(r["count"]) + 1, int(r["tradeId"])) for r in rows]
    assert {frame["arg"]["instId"] for frame in frames} == {"BTC-USDT-SWAP"}
    assert all(set(row) == TRADE for row in rows)
    assert {row["side"] for row in rows} == {"buy", "sell"}
    assert {row["count"] for row in rows} == {"1", "2", "3"}
    assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(spans))
    sent = (await okx.ledger())["trades"]["trades:BTC-USDT-SWAP"]["sent"]
    assert sent == [[spans[0][0], spans[-1][1]]]


async def test_pepe_is_quoted_one_by_one_and_counted_by_ten_millions(serving):
    async with serving("okx", scenario="calm") as okx, okx.socket(PATH) as socket:
        await socket.ask(subscribe({"channel": "trades", "instId": "PEPE-USDT-SWAP"}))
        rows = [row for frame in await socket.heard(100) for row in frame["data"]]
        listing = okx.venue.listings["PEPE-USDT-SWAP"]
    usd = sum(float(row["sz"]) * 10_000_000 * float(row["px"]) for row in rows)
    assert all(4e-6 < float(row["px"]) < 5e-6 for row in rows)
    assert usd / 100 == pytest.approx(listing.daily_usd / 86_400, rel=0.4)


async def test_the_first_push_of_liquidations_is_old(okx):
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(LIQUIDATIONS))
        first = await socket.frame()
        later = await socket.heard(SHOCK_S)
    begun_ms = okx.now_ms - SHOCK_S * 1000
    assert {"BTC-USDT-SWAP", "BTC-USD-SWAP"} <= {name for name, _ in details([first])}
    assert all(int(d["ts"]) <= begun_ms - 60_000 for _, d in details([first]))
    assert later
    assert all(int(d["ts"]) > begun_ms for _, d in details(later))


async def test_liquidations_come_in_batches_out_of_order_and_say_the_side_in_two_ways(okx):
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(LIQUIDATIONS))
        await socket.frame()
        frames = await socket.heard(SHOCK_S)
    for frame in frames:
        assert frame["arg"] == LIQUIDATIONS
        for row in frame["data"]:
            assert set(row) == {"details", "instFamily", "instId", "instType", "uly"}
            assert row["instId"] == f"{row['instFamily']}-SWAP"
    rows = details(frames)
    assert all(set(each) == DETAIL for _, each in rows)
    sides = {(d["posSide"], d["side"]) for _, d in rows}
    assert {("long", "sell"), ("short", "buy"), ("net", "sell")} <= sides
    assert not sides & {("long", "buy"), ("short", "sell")}
    times = [[int(d["ts"]) for d in row["details"]] for f in frames for row in f["data"]]
    assert any(each != sorted(each) for each in times)
    happened = [each for each in okx.venue.forced if each.time_ms > okx.now_ms - 32_000]
    assert 0 <= len(happened) - len(rows) < 40, "what the last window holds is yet to come"
    sizes = {s: listing.lot for s, listing in okx.venue.listings.items()}
    told = sum(float(d["sz"]) * sizes[s] * float(d["bkPx"]) for s, d in rows)
    assert told == pytest.approx(
        sum(each.liquidation.units * each.liquidation.limit for each in happened), rel=0.1
    )


async def test_inverse_swaps_are_among_them_by_the_hundred_dollars(okx):
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(LIQUIDATIONS))
        await socket.frame()
        frames = await socket.heard(50)
    inverse = [d for name, d in details(frames) if name == "BTC-USD-SWAP"]
    assert [float(d["sz"]) for d in inverse] == [pytest.approx(950, rel=0.02)]


async def test_one_a_second_of_each_contract_if_so_ordered(okx):
    assert await okx.order(kind="sample", shown="largest") == 200
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(LIQUIDATIONS))
        await socket.frame()
        frames = await socket.heard(SHOCK_S)
    rows = [(name, int(d["ts"]) // 1000) for name, d in details(frames)]
    assert len(rows) == len(set(rows)) > 50


@pytest.mark.parametrize(
    ("channel", "every_ms", "fields"),
    [
        ("mark-price", 200, {"instType", "instId", "markPx", "ts"}),
        ("open-interest", 3000, {"instType", "instId", "oi", "oiCcy", "oiUsd", "ts"}),
        ("funding-rate", 30_000, {"fundingRate", "fundingTime", "nextFundingRate"}),
        ("tickers", 100, {"last", "vol24h", "volCcy24h"}),
    ],
)
async def test_channels_say_how_things_are_at_once_and_then_at_intervals(
    okx, channel, every_ms, fields
):
    arg = {"channel": channel, "instId": "BTC-USDT-SWAP"}
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(arg))
        now = await socket.frame()
        frames = await socket.heard(60)
    times = [int(frame["data"][0]["ts"]) for frame in frames]
    assert now["arg"] == frames[0]["arg"] == arg
    assert set(now["data"][0]) >= fields
    assert {b - a for a, b in itertools.pairwise(times)} == {every_ms}


async def test_all_numbers_are_text(okx):
    channels = ("mark-price", "open-interest", "funding-rate", "tickers", "trades")
    args = [{"channel": each, "instId": "BTC-USDT-SWAP"} for each in channels]
    async with okx.socket(PATH) as socket:
        await socket.ask(subscribe(*args, LIQUIDATIONS))
        frames = await socket.heard(SHOCK_S)
    rows = [row for frame in frames if "data" in frame for row in frame["data"]]
    flat = [row | {"details": "", "seqId": ""} for row in rows] + [
        d for r in rows for d in r.get("details", ())
    ]
    assert len(flat) > 500
    assert all(isinstance(text, str) for row in flat for text in row.values()), json.dumps(flat[0])
