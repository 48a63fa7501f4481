"""The simulated Bybit's websocket as a foreign client sees it, field by field."""

import itertools

import pytest

PATH = "/v5/public/linear"
SHOCK_S = 32
TRADE = {"T", "s", "S", "v", "p", "L", "i", "BT", "RPI", "seq"}


def subscribe(*topics, **more):
    return {"op": "subscribe", "args": list(topics)} | more


async def test_a_subscription_is_acknowledged_as_a_whole(bybit):
    async with bybit.socket(PATH) as socket:
        ack = await socket.ask(subscribe("publicTrade.BTCUSDT", "publicTrade.ETHUSDT", req_id="9"))
        frames = await socket.heard(2)
    assert set(ack) == {"success", "ret_msg", "conn_id", "req_id", "op"}
    assert (ack["success"], ack["ret_msg"], ack["req_id"]) == (True, "", "9")
    assert {each["topic"] for each in frames} == {"publicTrade.BTCUSDT", "publicTrade.ETHUSDT"}


@pytest.mark.parametrize(
    "topic", ["publicTrade.NOSUCHUSDT", "allLiquidation.btcusdt", "allLiquidation", "tickers.*"]
)
async def test_one_invalid_topic_fails_the_whole_request(bybit, topic):
    async with bybit.socket(PATH) as socket:
        answer = await socket.ask(subscribe("publicTrade.BTCUSDT", topic))
        assert await socket.heard(2) == []
    assert not answer["success"]
    assert answer["ret_msg"] == f"Invalid topic: {topic}"


@pytest.mark.parametrize("message", ["{", [], {"op": "shout"}, {"op": "subscribe"}])
async def test_what_is_no_request_is_refused(bybit, message):
    async with bybit.socket(PATH) as socket:
        assert not (await socket.ask(message))["success"]


async def test_what_is_unsubscribed_stays_away(bybit):
    async with bybit.socket(PATH) as socket:
        await socket.ask(subscribe("publicTrade.BTCUSDT", "publicTrade.ETHUSDT"))
        await socket.ask({"op": "unsubscribe", "args": ["publicTrade.BTCUSDT"]})
        frames = await socket.heard(2)
    assert {each["topic"] for each in frames} == {"publicTrade.ETHUSDT"}


async def test_a_connection_takes_so_many_characters_of_topics_and_no_more(bybit):
    topic = "publicTrade.BTCUSDT"
    most = 21_000 // len(topic)
    async with bybit.socket(PATH) as socket:
        assert (await socket.ask(subscribe(*[topic] * most)))["success"]
        assert not (await socket.ask(subscribe(topic)))["success"]


async def test_a_ping_is_answered_and_alone_keeps_the_connection(bybit):
    async with bybit.socket(PATH) as socket:
        life = socket.listener.life
        begun = life._cut.when()
        await socket.ask(subscribe("publicTrade.BTCUSDT"))
        await socket.heard(1)
        assert life._cut.when() == begun
        pong = await socket.ask({"op": "ping", "req_id": "7"})
        assert life._cut.when() > begun
    conn_id = pong.pop("conn_id")
    assert conn_id
    assert pong == {"success": True, "ret_msg": "pong", "req_id": "7", "op": "ping"}


async def test_without_a_ping_it_is_cut(serving):
    async with serving("bybit", time_scale=1e-4) as served, served.socket(PATH) as socket:
        assert await socket.ended() == []


async def test_trades_have_the_documented_fields(bybit):
    async with bybit.socket(PATH) as socket:
        await socket.ask(subscribe("publicTrade.1000PEPEUSDT"))
        frames = await socket.heard(10)
    rows = [row for frame in frames for row in frame["data"]]
    for frame in frames:
        assert set(frame) == {"topic", "type", "ts", "data"}
        assert frame["type"] == "snapshot"
    for row in rows:
        assert set(row) == TRADE
        assert row["s"] == "1000PEPEUSDT"
        assert 0.004 < float(row["p"]) < 0.005
        assert float(row["v"]) > 0
    assert {row["S"] for row in rows} == {"Buy", "Sell"}
    assert len({row["i"] for row in rows}) == len(rows)
    assert all(a["seq"] < b["seq"] for a, b in itertools.pairwise(rows))


async def test_a_message_has_at_most_1024_trades(bybit):
    async with bybit.socket(PATH) as socket:
        await socket.ask(subscribe("publicTrade.BTCUSDT"))
        bybit.world.step(bybit.now_ms + 100, speed=4000)
        frames = await socket.waiting()
    counts = [len(frame["data"]) for frame in frames]
    assert counts[0] == 1024
    assert max(counts) == 1024
    ((sent,),) = [(await bybit.ledger())["trades"]["publicTrade.BTCUSDT"]["sent"]]
    assert sent[1] - sent[0] + 1 == sum(counts)


async def test_all_liquidations_come_in_batches_with_the_side_of_the_position(bybit):
    topics = [f"allLiquidation.{symbol}" for symbol in bybit.venue.listings]
    async with bybit.socket(PATH) as socket:
        await socket.ask(subscribe(*topics))
        frames = await socket.heard(SHOCK_S)
    rows = [row for frame in frames for row in frame["data"]]
    happened = [each for each in bybit.venue.forced if each.time_ms > bybit.now_ms - 32_000]
    assert 0 <= len(happened) - len(rows) < 20, "what the last window holds is yet to come"
    assert any(len(frame["data"]) > 1 for frame in frames)
    assert all(set(row) == {"T", "s", "S", "v", "p"} for row in rows)
    assert all(0 <= frame["ts"] - row["T"] <= 500 for frame in frames for row in frame["data"])
    windows = [(frame["topic"], frame["ts"] // 500) for frame in frames]
    assert len(windows) == len(set(windows))
    longs = [each for each in happened if each.liquidation.longs]
    assert [row["S"] for row in rows].count("Buy") == pytest.approx(len(longs), abs=20)
    for each, row in zip(happened, sorted(rows, key=lambda row: row["T"]), strict=False):
        assert row["T"] == each.time_ms
    for row in rows:
        contract = bybit.venue.listings[row["s"]].contract
        bankrupt = float(row["p"])
        assert bankrupt < contract.high if row["S"] == "Buy" else bankrupt > contract.low


async def test_a_ticker_is_whole_once_and_then_only_what_changes(bybit):
    topic = "tickers.BTCUSDT"
    async with bybit.socket(PATH) as socket:
        snapshot = await socket.ask(subscribe(topic))
        assert (await socket.frame())["success"], "the snapshot was sent before, as recorded"
        deltas = await socket.heard(3)
        async with bybit.socket(PATH) as later:
            again = await later.ask(subscribe(topic))
    rest = (await bybit.get("/v5/market/tickers", category="linear", symbol="BTCUSDT"))["result"]
    assert (snapshot["type"], {each["type"] for each in deltas}) == ("snapshot", {"delta"})
    known = dict(snapshot["data"])
    for delta in deltas:
        assert delta["data"]["symbol"] == "BTCUSDT"
        fresh = {name: text for name, text in delta["data"].items() if name != "symbol"}
        assert fresh
        assert all(known[name] != text for name, text in fresh.items())
        known |= fresh
    assert again["data"] == known == rest["list"][0]
    assert float(known["openInterest"]) == 2 * float(known["singleOpenInterest"])
    assert float(known["openInterestValue"]) == 2 * float(known["singleOpenInterestValue"])
