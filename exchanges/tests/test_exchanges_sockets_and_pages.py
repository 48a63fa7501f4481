"""What fixtures cannot say: how sockets are shared out, and how bodies come page by page."""

import json

import pytest

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel
from foreshock_exchanges.rest import Request


def asked(feed):
    return [json.loads(word) for word in feed.hello]


def following(rest, request, body):
    requests = []
    while request is not None:
        requests.append(request)
        request = rest.next_page(request, body)
    return requests


def test_bitget_keeps_trades_under_fifty_subscriptions_a_socket():
    symbols = [f"COIN{number}USDT" for number in range(60)]
    opened = load("bitget").feeds(Channel.TRADES, symbols, "wss://host")
    counts = [sum(len(said["args"]) for said in asked(feed)) for feed in opened]
    assert counts == [48, 48, 24]
    assert all(len(word) < 4096 for feed in opened for word in feed.hello)


def test_bitget_liquidations_are_one_subscription_on_one_socket():
    symbols = [f"COIN{number}USDT" for number in range(60)]
    (feed,) = load("bitget").feeds(Channel.LIQUIDATIONS, symbols, "wss://host")
    args = [arg for said in asked(feed) for arg in said["args"]]
    assert [arg for arg in args if arg["topic"] == "liquidation"] == [
        {"instType": "usdt-futures", "topic": "liquidation"}
    ]
    assert feed.ping == "ping"


@pytest.mark.parametrize("channel", Channel)
def test_gate_asks_for_decimals_and_once_more_contract_by_contract(channel):
    symbols = [f"COIN{number}_USDT" for number in range(150)]
    (feed,) = load("gate").feeds(channel, symbols, "wss://host")
    assert dict(feed.headers) == {"X-Gate-Size-Decimal": "1"}
    assert json.loads(feed.ping)["channel"] == "futures.ping"
    tickers = [said["payload"] for said in asked(feed) if said["channel"] == "futures.tickers"]
    assert [len(page) for page in tickers] == [100, 50]
    payloads = [json.loads(word)["payload"] for word in feed.retry]
    assert all(len(payload) == 1 for payload in payloads)


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
    assert following(rest, rest.tickers(), b"{}") == rest.premiums()
    assert rest.next_page(Request(path="/api/v2/public/get_instruments"), b"{}") is None


def test_deribit_s_subscriptions_are_slower_and_kept_alive_by_words():
    symbols = [f"COIN{number}_USDC-PERPETUAL" for number in range(120)]
    (feed,) = load("deribit").feeds(Channel.TRADES, symbols, "wss://host")
    assert len(feed.hello) == 3
    assert feed.pace_s >= 1 / 3.3
    assert json.loads(feed.ping)["method"] == "public/test"
