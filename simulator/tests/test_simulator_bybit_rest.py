"""The simulated Bybit's REST calls."""

import itertools

import pytest

from foreshock_simulator.market.profiles import newcomer

MARKET = "/v5/market"
SHARE = 0.30


async def result(served, path, **params):
    body = await served.get(f"{MARKET}/{path}", category="linear", **params)
    assert (body["retCode"], body["retMsg"], body["time"]) == (0, "OK", served.venue.now_ms)
    return body["result"]


async def test_one_call_tells_prices_funding_and_open_interest_of_all(bybit):
    bybit.step(20)
    rows = {row["symbol"]: row for row in (await result(bybit, "tickers"))["list"]}
    assert set(rows) == set(bybit.venue.listings)
    for symbol, listing in bybit.venue.listings.items():
        row, contract = rows[symbol], listing.contract
        assert float(row["markPrice"]) == pytest.approx(contract.mark, rel=1e-3)
        held = float(row["singleOpenInterest"])
        assert held == pytest.approx(SHARE * contract.open_interest, rel=1e-3)
        assert float(row["openInterest"]) == pytest.approx(2 * held)
        assert float(row["turnover24h"]) == pytest.approx(SHARE * contract.profile.daily_usd)
        assert int(row["nextFundingTime"]) > bybit.now_ms


async def test_open_interest_goes_back_in_steps(bybit):
    asked = {"symbol": "BTCUSDT", "intervalTime": "5min", "limit": 3}
    rows = (await result(bybit, "open-interest", **asked))["list"]
    times = [int(row["timestamp"]) for row in rows]
    assert [a - b for a, b in itertools.pairwise(times)] == [300_000, 300_000]
    assert float(rows[0]["openInterest"]) == 2 * float(rows[0]["singleOpenInterest"])


@pytest.mark.parametrize(("interval", "step_ms"), [("1", 60_000), ("15", 900_000), ("60", 3.6e6)])
async def test_candles_come_newest_first(bybit, interval, step_ms):
    asked = {"symbol": "BTCUSDT", "interval": interval}
    rows = (await result(bybit, "kline", limit=50, **asked))["list"]
    starts = [int(row[0]) for row in rows]
    assert len(rows) == 50
    assert starts[0] <= bybit.now_ms < starts[0] + step_ms
    assert all(a - b == step_ms for a, b in itertools.pairwise(starts))
    for start, opened, high, low, close, volume, turnover in rows:
        assert float(low) <= min(float(opened), float(close))
        assert float(high) >= max(float(opened), float(close))
        assert float(turnover) == pytest.approx(float(volume) * float(close), rel=1e-3), start
    older = (await result(bybit, "kline", limit=10, end=starts[20], **asked))["list"]
    assert older == rows[20:30]


async def test_recent_trades_are_those_of_the_stream(bybit):
    async with bybit.socket("/v5/public/linear") as socket:
        await socket.ask({"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
        frames = await socket.heard(10)
    streamed = [(row["i"], row["p"], row["v"], row["S"]) for f in frames for row in f["data"]]
    rows = (await result(bybit, "recent-trade", symbol="BTCUSDT", limit=5))["list"]
    listed = [(row["execId"], row["price"], row["size"], row["side"]) for row in rows]
    assert listed == streamed[-1:-6:-1]


async def test_instruments_come_in_pages(bybit):
    rows, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = await result(bybit, "instruments-info", limit=4, cursor=cursor)
        rows, cursor, pages = rows + page["list"], page["nextPageCursor"], pages + 1
    symbols = [row["symbol"] for row in rows]
    assert len(symbols) == len(set(symbols)) == 4 * (pages - 1) + len(page["list"])
    ours = {row["symbol"]: row for row in rows if row["symbol"] in bybit.venue.listings}
    assert set(ours) == set(bybit.venue.listings)
    assert {row["status"] for row in ours.values()} == {"Trading"}
    assert ours["1000PEPEUSDT"]["baseCoin"] == "1000PEPE"
    others = {row["symbol"]: row for row in rows if row["symbol"] not in ours}
    assert others["TSLAUSDT"]["symbolType"] == "stock"
    assert others["NEWUSDT"]["status"] == "PreLaunch"
    assert others["BTCPERP"]["quoteCoin"] == "USDC"
    assert others["BTCUSDT-26MAR27"]["contractType"] == "LinearFutures"


async def test_without_a_limit_a_page_has_500_instruments_and_15_risk_limits(serving):
    profiles = [newcomer(f"A{number}") for number in range(505)]
    async with serving("bybit", shares={"bybit": 1.0}, profiles=profiles) as served:
        page = await result(served, "instruments-info")
        assert (len(page["list"]), page["nextPageCursor"]) == (500, "500")
        tiers = await result(served, "risk-limit")
        assert len({row["symbol"] for row in tiers["list"]}) == 15
        more = await result(served, "risk-limit", cursor=tiers["nextPageCursor"])
        assert not {row["symbol"] for row in tiers["list"]} & {r["symbol"] for r in more["list"]}
        (first, *_) = one = (await result(served, "risk-limit", symbol="A7USDT"))["list"]
    assert {row["symbol"] for row in one} == {"A7USDT"}
    assert first["isLowestRisk"] == 1
    caps = [float(row["riskLimitValue"]) for row in one]
    assert caps == sorted(caps)


async def test_shib_has_its_thousand_behind(bybit):
    await bybit.order(kind="listing", base="1000SHIB")
    rows = (await result(bybit, "instruments-info", symbol="SHIB1000USDT"))["list"]
    assert [(row["symbol"], row["baseCoin"]) for row in rows] == [("SHIB1000USDT", "SHIB1000")]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("tickers", {}),
        ("tickers", {"category": "spot"}),
        ("kline", {"category": "linear", "symbol": "NOSUCH", "interval": "1"}),
        ("kline", {"category": "linear", "symbol": "BTCUSDT", "interval": "7"}),
        ("kline", {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "x"}),
        ("open-interest", {"category": "linear", "symbol": "BTCUSDT"}),
        ("instruments-info", {"category": "linear", "cursor": "x"}),
    ],
)
async def test_a_wrong_request_has_a_code_and_status_200(bybit, path, params):
    async with bybit.http.get(f"{MARKET}/{path}", params=params) as answer:
        assert answer.status == 200
        assert (await answer.json())["retCode"] == 10001


async def test_the_601st_request_in_five_seconds_keeps_the_address_out_for_ten_minutes(bybit):
    async def status():
        async with bybit.http.get(f"{MARKET}/time") as answer:
            return answer.status, await answer.json()

    for _ in range(600):
        assert (await status())[0] == 200
    code, body = await status()
    assert (code, body["retCode"]) == (403, 10006)
    assert "access too frequent" in body["retMsg"]
    refused_ms = bybit.now_ms
    bybit.venue.now_ms = refused_ms + 599_999
    assert (await status())[0] == 403
    bybit.venue.now_ms = refused_ms + 600_000
    code, body = await status()
    assert code == 200
    assert body["result"]["timeSecond"] == str(bybit.venue.now_ms // 1000)
