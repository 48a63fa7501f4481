"""The simulated Binance's REST calls: every body is read, every refusal has its code."""

import asyncio
import itertools
import json
import math

import httpx
import pytest

from foreshock_exchanges import load
from foreshock_simulator.binance.frames import listed_trade
from foreshock_simulator.binance.limits import LIMIT
from foreshock_simulator.market.market import Market
from foreshock_simulator.venue.server import serve
from foreshock_simulator.world import World

T0 = 1_790_000_000_000
MINUTE_MS = 60_000
USED = "X-MBX-USED-WEIGHT-1M"
PROFILES = {c.profile.symbol: c.profile for c in Market(7).contracts.values()}
REST = load("binance").rest


@pytest.fixture
async def world():
    return World(7, T0, shares={"binance": 1.0})


@pytest.fixture
async def venue(world):
    return world.venues["binance"]


@pytest.fixture
async def http(venue):
    async with (
        asyncio.timeout(20),
        serve(venue, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def body(http, request):
    answer = await http.get(request.path, params=dict(request.params))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.content


def run(world, seconds):
    for _ in range(seconds * 10):
        world.step(world.now_ms + 100)


async def test_contracts_that_are_not_ours_are_listed_and_left_out(http):
    listed = await body(http, REST.instruments())
    assert T0 - json.loads(listed)["serverTime"] > 3_600_000, "a stale cache, as on the real one"
    read = {row.symbol: row for row in REST.read_instruments(listed, T0)}
    assert {s for s, row in read.items() if row.status == "trading"} == set(PROFILES)
    assert read["LUNAUSDT"].status == "closing"
    assert read["NEWUSDT"].status == "pending"
    assert (read["1000PEPEUSDT"].coin, read["1000PEPEUSDT"].multiplier) == ("PEPE", 1000)
    for foreign in (b"TSLAUSDT", b"BTCUSDC", b"BTCUSDT_270326"):
        assert foreign in listed
        assert foreign.decode() not in read


async def test_prices_volumes_and_funding_are_the_markets(http, world, venue):
    run(world, 30)
    tickers = {row.symbol: row for row in REST.read_tickers(await body(http, REST.tickers()), 1)}
    premiums = {
        row.symbol: row for row in REST.read_premiums([await body(http, *REST.premiums([]))], 1)
    }
    assert set(tickers) == set(premiums) == set(PROFILES)
    changed = await body(http, REST.funding_intervals())
    assert REST.read_funding_intervals(changed) == {"WIFUSDT": 4}
    for symbol, contract in venue.market.contracts.items():
        thousands = 1000 if symbol.startswith("1000") else 1
        ticker, premium = tickers[symbol], premiums[symbol]
        assert ticker.last_price * thousands == pytest.approx(contract.price, rel=1e-3)
        assert ticker.volume_24h_usd == pytest.approx(contract.profile.daily_usd)
        assert math.copysign(1, ticker.change_24h_pct) == -1, "the first shock is a fall"
        assert premium.mark_price * thousands == pytest.approx(contract.mark)
        assert premium.funding_rate == pytest.approx(contract.funding_rate, abs=1e-8)
        assert 0 < premium.next_funding_ms - venue.now_ms <= 8 * 3_600_000


async def test_a_tickers_prices_agree_with_one_another(http, world, venue):
    seen = {symbol: {contract.price} for symbol, contract in venue.market.contracts.items()}
    for _ in range(300):
        world.step(world.now_ms + 100)
        for symbol, contract in venue.market.contracts.items():
            seen[symbol].add(contract.price)
    for row in json.loads(await body(http, REST.tickers())):
        wire = {name: float(text) for name, text in row.items() if name != "symbol"}
        profile, prices = PROFILES[row["symbol"]], seen[row["symbol"]]
        unit = 10.0**-profile.decimals
        opened, high, low, last = (wire[f"{w}Price"] for w in ("open", "high", "low", "last"))
        assert opened == profile.price
        assert low <= last <= high
        assert (high, low) == pytest.approx((max(prices), min(prices)), abs=unit)
        assert wire["priceChange"] == pytest.approx(last - opened, abs=unit / 2)
        assert wire["priceChangePercent"] == pytest.approx((last / opened - 1) * 100, abs=1e-3)
        assert low < wire["weightedAvgPrice"] < high
        assert wire["volume"] * wire["weightedAvgPrice"] == pytest.approx(
            wire["quoteVolume"], rel=1e-3
        )


async def test_open_interest_and_supply_are_in_coins_not_thousands(http, venue):
    prices = {p.symbol: p for p in REST.read_premiums([await body(http, *REST.premiums([]))], 1)}
    for symbol, request in zip(PROFILES, REST.open_interest(list(PROFILES)), strict=True):
        profile, price = PROFILES[symbol], prices[symbol].mark_price
        (held,) = REST.read_open_interest(await body(http, request), 1)
        assert held.open_interest_coins * price == pytest.approx(profile.held_usd, rel=0.05)
        (supply,) = REST.read_supply(await body(http, REST.supply(symbol)))
        cap_usd = profile.supply * profile.price
        assert supply.circulating_coins * price == pytest.approx(cap_usd, rel=0.01)
        assert supply.ts_event_ms <= venue.now_ms


@pytest.mark.parametrize(("interval", "step_ms"), [("15m", 900_000), ("1h", 3_600_000)])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000PEPEUSDT"])
async def test_candles_join_and_end_at_the_price_with_the_usual_volume(
    http, venue, symbol, interval, step_ms
):
    count = 30 * 86_400_000 // step_ms
    request = REST.klines(symbol, interval, min(count, 1500), T0)
    rows = REST.read_klines(await body(http, request), symbol, interval, T0)
    assert len(rows) == min(count, 1500)
    assert rows[-1].start_ms <= venue.now_ms < rows[-1].start_ms + step_ms
    for earlier, later in itertools.pairwise(rows):
        assert later.start_ms - earlier.start_ms == step_ms
        assert later.open == earlier.close
    assert all(0 < k.low <= min(k.open, k.close) <= max(k.open, k.close) <= k.high for k in rows)
    assert all(0 < k.taker_buy_usd < k.notional_usd for k in rows)
    thousands = 1000 if symbol.startswith("1000") else 1
    assert rows[-1].close * thousands == pytest.approx(PROFILES[symbol].price, rel=1e-3)
    days = len(rows) * step_ms / 86_400_000
    usual = PROFILES[symbol].daily_usd
    assert sum(k.notional_usd for k in rows) / days == pytest.approx(usual, rel=0.1)


async def test_trades_can_be_asked_for_again_from_a_number_on(http, world, venue):
    run(world, 10)
    sent = [listed_trade(fill) for fill in venue.tapes["BTCUSDT"].kept]
    first = sent[5]["a"]

    async def asked(**params):
        return (await http.get("/fapi/v1/aggTrades", params=params | {"symbol": "BTCUSDT"})).json()

    assert await asked(fromId=first, limit=3) == sent[5:8]
    assert await asked(limit=3) == sent[-3:], "without a number: the newest"
    assert await asked(fromId=sent[-1]["a"] + 1) == []


@pytest.mark.parametrize(
    ("path", "params", "code", "names"),
    [
        ("/fapi/v1/openInterest", {}, -1102, "'symbol'"),
        ("/fapi/v1/openInterest", {"symbol": ""}, -1102, "'symbol'"),
        ("/fapi/v1/aggTrades", {}, -1102, "'symbol'"),
        ("/futures/data/openInterestHist", {"period": "5m"}, -1102, "'symbol'"),
        ("/fapi/v1/ticker/24hr", {"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ("/fapi/v1/premiumIndex", {"symbol": "btcusdt"}, -1121, "Invalid symbol."),
        ("/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "2y"}, -1120, "Invalid interval."),
        (
            "/fapi/v1/klines",
            {"symbol": "BTCUSDT", "interval": "1h", "limit": "x"},
            -1100,
            "'limit'",
        ),
        (
            "/fapi/v1/klines",
            {"symbol": "BTCUSDT", "interval": "1h", "limit": "0"},
            -1130,
            "'limit'",
        ),
        ("/fapi/v1/aggTrades", {"symbol": "BTCUSDT", "fromId": "-1"}, -1100, "'fromId'"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong_and_still_weighs(
    http, path, params, code, names
):
    answer = await http.get(path, params=params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert names in answer.json()["msg"]
    assert USED in answer.headers


async def test_no_request_of_ours_weighs_more_than_we_reckon(http):
    requests = [
        REST.instruments(),
        REST.tickers(),
        *REST.premiums([]),
        REST.funding_intervals(),
        REST.supply("BTCUSDT"),
        *REST.open_interest(["BTCUSDT", "ETHUSDT"]),
        *(REST.klines("BTCUSDT", "1h", limit, T0) for limit in (99, 100, 499, 500, 1000, 1500)),
    ]
    used = 0
    for request in requests:
        answer = await http.get(request.path, params=dict(request.params))
        now = int(answer.headers[REST.budget.used_header])
        assert now - used <= request.weight, request
        used = now
    assert used > 50


async def test_too_much_is_refused_then_banned_and_forgiven_when_it_is_over(http, venue):
    left_s = math.ceil((MINUTE_MS - venue.now_ms % MINUTE_MS) / 1000)
    for _ in range(LIMIT // 40):
        assert (await http.get("/fapi/v1/ticker/24hr")).status_code == 200
    refused = await http.get("/fapi/v1/time")
    assert (refused.status_code, refused.json()["code"]) == (429, -1003)
    assert int(refused.headers["Retry-After"]) == left_s
    while (answer := await http.get("/fapi/v1/time")).status_code == 429:
        pass
    assert (answer.status_code, answer.json()["code"]) == (418, -1003)
    until_ms = venue.now_ms + int(answer.headers["Retry-After"]) * 1000
    assert str(until_ms) in answer.json()["msg"]
    venue.now_ms = until_ms - 1
    assert (await http.get("/fapi/v1/time")).status_code == 418
    venue.now_ms = until_ms
    assert (await http.get("/fapi/v1/time")).headers[USED] == "1"
