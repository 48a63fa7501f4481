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
