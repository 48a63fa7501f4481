"""What fixtures cannot say of bodies: how they come page by page."""

import json

from foreshock_exchanges import load
from foreshock_exchanges.rest import Request


def following(rest, request, body):
    requests = []
    while request is not None:
        requests.append(request)
        request = rest.next_page(request, body)
    return requests


def test_gate_s_tiers_come_a_hundred_contracts_a_page():
    rest = load("gate").rest
    row = {"tier": 1, "maintenance_rate": "0.1", "leverage_max": "5", "risk_limit": "1"}
    page = [row | {"contract": f"COIN{number}_USDT"} for number in range(100)]
    (first,) = rest.tiers(["COIN1_USDT"])
    second = rest.next_page(first, json.dumps(page * 2).encode())
    assert second.params == (("limit", "100"), ("offset", "100"))
    assert rest.next_page(second, json.dumps(page[:99] * 2).encode()) is None
    assert rest.next_page(rest.tickers(), b"[]") is None


def test_deribit_s_tickers_come_a_currency_a_page():
    rest = load("deribit").rest
    assert following(rest, rest.tickers(), b"{}") == rest.premiums([])
    assert rest.next_page(Request(path="/api/v2/public/get_instruments"), b"{}") is None


def test_bitget_s_candles_come_a_hundred_a_page_from_the_newest_back():
    rest = load("bitget").rest
    hours = [[str(hour * 3_600_000), "1", "1", "1", "1", "1", "1"] for hour in range(300, 200, -1)]
    first = rest.klines("BTCUSDT", "1h", 721, 0)
    assert first.params[-1] == ("limit", "100")
    second = rest.next_page(first, json.dumps({"code": "00000", "data": hours}).encode())
    assert second.params == (*first.params, ("endTime", str(201 * 3_600_000)))
    half = json.dumps({"code": "00000", "data": hours[:50]}).encode()
    assert rest.next_page(second, half) is None
    assert rest.next_page(rest.klines("BTCUSDT", "1h", 2, 0), half) is None
    assert rest.next_page(rest.tickers(), b"{}") is None


def test_okx_s_candles_come_three_hundred_a_page_from_the_newest_back():
    rest = load("okx").rest
    hours = [[str(hour * 3_600_000), *["1"] * 7, "1"] for hour in range(300, 0, -1)]
    first = rest.klines("BTC-USDT-SWAP", "1h", 721, 0)
    second = rest.next_page(first, json.dumps({"code": "0", "msg": "", "data": hours}).encode())
    assert second.params == (*first.params, ("after", "3600000"))
