"""`foreshock replay` through real ingesters: each is held against its own kind of event."""

import json
import socket

import pytest

from foreshock_cli.main import main

pytestmark = pytest.mark.broker

ORDER = {"s": "BTCUSDT", "S": "SELL", "q": "1", "p": "1", "ap": "1", "X": "FILLED", "z": "1"}
LIQUIDATION = {"e": "forceOrder", "E": 1, "o": ORDER | {"l": "1", "T": 1, "st": 1}}
TRADES = [
    {
        "e": "trade",
        "E": 2,
        "T": 2,
        "s": "1000PEPEUSDT",
        "t": n,
        "p": "0.01",
        "q": "5",
        "X": "MARKET",
    }
    | {"m": False, "st": 1}
    for n in (1, 2)
]


@pytest.mark.parametrize(
    ("service", "on_topic"), [("ingest-trades", 2), ("ingest-liquidations", 1)]
)
def test_events_of_the_other_kind_are_not_missed(tmp_path, capfd, service, on_topic):
    file = tmp_path / "recording"
    file.write_text("\n".join(map(json.dumps, [*TRADES, LIQUIDATION])))
    assert main(["replay", str(file), "--service", service]) == 0
    figures = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert figures["on_topic"] == figures["expected"] == on_topic
    assert figures["events"] == 3


CONTRACT = {"symbol": "1000PEPEUSDT", "contractType": "PERPETUAL", "status": "SETTLING"}
CONTRACT |= {"baseAsset": "1000PEPE", "quoteAsset": "USDT"}


def test_what_record_writes_is_replayed_with_the_contracts_that_it_tells(tmp_path, capfd):
    body = json.dumps({"symbols": [CONTRACT]})
    said = [
        {"t": "http", "url": "https://fapi.binance.com/fapi/v1/exchangeInfo", "data": body},
        {"t": "connect", "addr": "wss://fstream.binance.com/market/ws"},
        *({"t": "recv", "data": json.dumps(trade)} for trade in TRADES),
        {"t": "disconnect", "reason": "gone"},
    ]
    lines = ({"t": each.pop("t"), "conn": "binance.ws.1", "ts": 1.5} | each for each in said)
    header = {"t": "header", "format": 2, "exchange": "binance"}
    file = tmp_path / "recording"
    file.write_text("\n".join(json.dumps(each, separators=(",", ":")) for each in (header, *lines)))
    assert main(["replay", str(file)]) == 0
    figures = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (figures["frames"], figures["on_topic"], figures["malformed"]) == (2, 2, 0)


def test_what_a_recording_has_not_is_asked_of_nobody(tmp_path, capfd, monkeypatch):
    lines = [
        f"{(1_790_000_000 + seconds) * 1_000_000_000} {json.dumps(TRADES[0] | {'t': number})}"
        for number, seconds in ((1, 0), (9, 1), (10, 40))
    ]
    file = tmp_path / "recording"
    file.write_text("\n".join(lines))
    with socket.create_server(("127.0.0.1", 0)) as venue:
        venue.setblocking(False)
        port = venue.getsockname()[1]
        monkeypatch.setenv("EXCHANGE_REST_URLS", f"binance=http://127.0.0.1:{port}")
        assert main(["replay", str(file), "--speed", "10"]) == 0
        with pytest.raises(BlockingIOError):
            venue.accept()
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["on_topic"] == 3
