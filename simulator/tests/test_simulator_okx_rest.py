"""The simulated OKX's REST calls."""

import itertools

import pytest

PUBLIC, MARKET = "/api/v5/public", "/api/v5/market"
SHARE = 0.25
BTC = "BTC-USDT-SWAP"


async def data(served, path, **params):
    body = await served.get(path, **params)
    assert (body["code"], body["msg"]) == ("0", "")
    return body["data"]


async def test_instruments_tell_what_a_contract_is(okx):
    rows = {r["instId"]: r for r in await data(okx, f"{PUBLIC}/instruments", instType="SWAP")}
    sizes = {name: (r["ctVal"], r["ctValCcy"], r["ctType"]) for name, r in rows.items()}
    assert sizes[BTC] == ("0.01", "BTC", "linear")
    assert sizes["PEPE-USDT-SWAP"] == ("10000000", "PEPE", "linear")
    assert sizes["BTC-USD-SWAP"] == ("100", "USD", "inverse")
    assert (rows[BTC]["settleCcy"], rows["BTC-USD-SWAP"]["settleCcy"]) == ("USDT", "BTC")
    assert {r["state"] for name, r in rows.items() if name in okx.venue.listings} == {"live"}
    assert (rows["NEW-USDT-SWAP"]["state"], rows["LUNA-USDT-SWAP"]["state"]) == (
        "preopen",
        "suspend",
    )
    assert {(r["ctMult"], r["baseCcy"], r["instType"]) for r in rows.values()} == {
        ("1", "", "SWAP")
    }


async def test_open_interest_is_told_in_contracts_coins_and_usd(okx):
    rows = {r["instId"]: r for r in await data(okx, f"{PUBLIC}/open-interest", instType="SWAP")}
    assert set(rows) == set(okx.venue.listings)
    for symbol, row in rows.items():
        listing = okx.venue.listings[symbol]
        contracts, coins, usd = (float(row[name]) for name in ("oi", "oiCcy", "oiUsd"))
        mark = listing.contract.mark * listing.scale
        assert usd == pytest.approx(coins * mark, rel=1e-3)
        in_quote = usd if listing.inverse else coins
        assert contracts * listing.lot == pytest.approx(in_quote, rel=1e-3)
    held_usd = okx.world.market.contracts["1000PEPEUSDT"].profile.held_usd
    assert float(rows["PEPE-USDT-SWAP"]["oiUsd"]) == pytest.approx(SHARE * held_usd, rel=0.05)


async def test_any_asks_for_all_funding_rates(okx):
    rows = await data(okx, f"{PUBLIC}/funding-rate", instId="ANY")
    assert {row["instId"] for row in rows} == set(okx.venue.listings)
    (row,) = await data(okx, f"{PUBLIC}/funding-rate", instId=BTC)
    assert row["nextFundingRate"] == row["interestRate"] == ""
    assert int(row["nextFundingTime"]) - int(row["fundingTime"]) == 8 * 3_600_000
    assert int(row["fundingTime"]) > okx.now_ms


async def test_prices_are_the_markets(okx):
    okx.step(20)
    marks = {r["instId"]: r for r in await data(okx, f"{PUBLIC}/mark-price", instType="SWAP")}
    tickers = {r["instId"]: r for r in await data(okx, f"{MARKET}/tickers", instType="SWAP")}
    index = {r["instId"]: r for r in await data(okx, f"{MARKET}/index-tickers", quoteCcy="USDT")}
    assert set(marks) == set(tickers) == set(okx.venue.listings)
    for symbol, listing in okx.venue.listings.items():
        contract, row = listing.contract, tickers[symbol]
        assert float(marks[symbol]["markPx"]) == pytest.approx(
            contract.mark * listing.scale, rel=1e-3
        )
        usd = float(row["volCcy24h"]) * float(row["last"])
        assert usd == pytest.approx(listing.share * contract.profile.daily_usd, rel=0.2)
        if not listing.inverse:
            of_index = float(index[symbol.removesuffix("-SWAP")]["idxPx"])
            assert of_index == pytest.approx(contract.index * listing.scale, rel=1e-3)
            coins = float(row["vol24h"]) * listing.lot
            assert coins == pytest.approx(float(row["volCcy24h"]), rel=1e-3)
    assert not [name for name in index if name.endswith("USD")]


@pytest.mark.parametrize("path", ["candles", "history-candles"])
@pytest.mark.parametrize(("bar", "step_ms"), [("15m", 900_000), ("1H", 3_600_000)])
async def test_candles_come_newest_first_in_pages(okx, path, bar, step_ms):
    asked = {"instId": "PEPE-USDT-SWAP", "bar": bar}
    rows = await data(okx, f"{MARKET}/{path}", limit=300, **asked)
    starts = [int(row[0]) for row in rows]
    assert len(rows) == len(await data(okx, f"{MARKET}/{path}", limit=999, **asked)) == 300
    assert starts[0] <= okx.now_ms < starts[0] + step_ms
    assert all(a - b == step_ms for a, b in itertools.pairwise(starts))
    assert [row[8] for row in rows] == ["0"] + 299 * ["1"]
    for _, _, high, low, close, contracts, coins, usd, _ in rows:
        assert 0 < float(low) <= float(close) <= float(high)
        assert float(coins) == pytest.approx(float(contracts) * 10_000_000, rel=1e-2)
        assert float(usd) == pytest.approx(float(coins) * float(close), rel=1e-3)
    older = await data(okx, f"{MARKET}/{path}", limit=5, after=starts[9], **asked)
    assert older == rows[10:15]


async def test_trades_are_told_one_by_one_and_can_be_asked_for_by_number(okx):
    async with okx.socket("/ws/v5/public") as socket:
        arg = {"channel": "trades", "instId": BTC}
        await socket.ask({"op": "subscribe", "args": [arg]})
        streamed = [row for frame in await socket.heard(20) for row in frame["data"]]
    newest = await data(okx, f"{MARKET}/trades", instId=BTC, limit=500)
    ids = [int(row["tradeId"]) for row in newest]
    assert ids == list(range(int(streamed[-1]["tradeId"]), ids[-1] - 1, -1))
    by_id = {int(row["tradeId"]): row for row in newest}
    for row in streamed[-20:]:
        last = int(row["tradeId"])
        singles = [by_id[number] for number in range(last - int(row["count"]) + 1, last + 1)]
        assert sum(float(s["sz"]) for s in singles) == pytest.approx(float(row["sz"]))
        assert {(s["px"], s["side"], s["ts"]) for s in singles} == {
            (row["px"], row["side"], row["ts"])
        }
    path = f"{MARKET}/history-trades"
    page = await data(okx, path, instId=BTC, after=ids[9], limit=5)
    assert page == newest[10:15]
    assert await data(okx, path, instId=BTC, after=ids[9], before=ids[12]) == newest[10:12]
    assert len(await data(okx, path, instId=BTC, limit=500)) == 100


async def test_tiers_stay_as_they_are_whatever_is_held(okx):
    families = ",".join(("BTC-USDT", "BTC-USD", "PEPE-USDT"))
    asked = {"instType": "SWAP", "tdMode": "cross", "instFamily": families}
    before = await data(okx, f"{PUBLIC}/position-tiers", **asked)
    okx.step(60)
    assert await data(okx, f"{PUBLIC}/position-tiers", **asked) == before


async def test_tiers_are_told_of_five_families_at_most(okx):
    asked = {"instType": "SWAP", "tdMode": "cross"}
    families = ["BTC-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT", "PEPE-USDT"]
    rows = await data(okx, f"{PUBLIC}/position-tiers", instFamily=",".join(families), **asked)
    assert {row["instFamily"] for row in rows} == set(families)
    btc = [row for row in rows if row["instFamily"] == "BTC-USDT"]
    assert [row["tier"] for row in btc] == ["1", "2", "3"]
    assert [row["maxSz"] for row in btc[:-1]] == [row["minSz"] for row in btc[1:]]
    assert all(float(row["mmr"]) < float(row["imr"]) for row in rows)
    more = ",".join([*families, "SUI-USDT"])
    refused = await okx.get(f"{PUBLIC}/position-tiers", instFamily=more, **asked)
    assert refused["code"] == "51000"


async def test_liquidations_of_the_past_can_be_asked_for(okx):
    asked = {"instType": "SWAP", "uly": "BTC-USDT", "state": "filled"}
    path = f"{PUBLIC}/liquidation-orders"
    (before,) = await data(okx, path, **asked)
    okx.step(32)
    (after,) = await data(okx, path, **asked)
    times = [int(each["ts"]) for each in after["details"]]
    assert times == sorted(times, reverse=True)
    assert len(before["details"]) < len(after["details"]) <= 100
    assert all(int(each["ts"]) <= okx.now_ms - 32_000 - 60_000 for each in before["details"])
    assert after["instId"] == BTC


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        (f"{PUBLIC}/open-interest", {}, "51000"),
        (f"{PUBLIC}/instruments", {"instType": "MOON"}, "51000"),
        (f"{PUBLIC}/funding-rate", {}, "51001"),
        (f"{PUBLIC}/mark-price", {"instId": "NOPE-USDT-SWAP"}, "51001"),
        (f"{MARKET}/index-tickers", {}, "51000"),
        (f"{MARKET}/candles", {"instId": BTC, "bar": "2y"}, "51000"),
        (f"{MARKET}/candles", {"instId": BTC, "limit": "x"}, "51000"),
        (f"{MARKET}/history-trades", {"instId": BTC, "after": "x"}, "51000"),
    ],
)
async def test_a_wrong_request_has_a_code_and_status_200(okx, path, params, code):
    async with okx.http.get(path, params=params) as answer:
        body = await answer.json()
        assert (answer.status, body["code"], body["data"]) == (200, code, [])


@pytest.mark.parametrize(
    ("path", "most"), [(f"{PUBLIC}/mark-price", 10), (f"{MARKET}/tickers", 20)]
)
async def test_too_often_is_refused_without_a_header_until_two_seconds_are_over(okx, path, most):
    async def status():
        async with okx.http.get(path, params={"instType": "SWAP"}) as answer:
            return answer

    for _ in range(most):
        assert (await status()).status == 200
    refused = await status()
    assert refused.status == 429
    assert not [name for name in refused.headers if "limit" in name.lower() or "Retry" in name]
    assert (await okx.get(path, instType="SWAP")) == {
        "code": "50011",
        "msg": "Too Many Requests",
        "data": [],
    }
    assert (await okx.get(f"{PUBLIC}/time"))["code"] == "0", "each call has a limit of its own"
    okx.venue.now_ms += 2000
    assert (await status()).status == 200
