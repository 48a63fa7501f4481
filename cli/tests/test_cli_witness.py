"""What a recording is about, told by its frames."""

import json

from foreshock_cli.witness import subjects

MARK = {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "50000", "i": "50000", "st": 1}
TRADE = {"e": "trade", "E": 2, "T": 2, "s": "1000PEPEUSDT", "t": 7, "p": "0.01", "q": "5", "st": 1}
TRADE |= {"X": "MARKET", "m": False}
ORDER = {"s": "BTCUSDT", "S": "SELL", "q": "1", "p": "1", "ap": "1", "X": "FILLED", "z": "1"}


def liquidation(at_ms: int) -> dict:
    return {"e": "forceOrder", "E": at_ms, "o": ORDER | {"l": "1", "T": at_ms, "st": 1}}


def recorded(*said) -> list[bytes]:
    return [json.dumps(each, separators=(",", ":")).encode() for each in said]


def test_marks_decide_nothing_for_every_socket_carries_them():
    found = subjects("binance", recorded([MARK], [MARK], liquidation(1), [MARK]))
    assert found.service == "ingest-liquidations"
    assert found.events == {"ingest-liquidations": 1}


def test_most_events_decide_and_each_kind_is_counted_once():
    found = subjects("binance", recorded(TRADE, TRADE, liquidation(1), liquidation(2)))
    assert found.service == "ingest-liquidations"
    assert found.events == {"ingest-trades": 1, "ingest-liquidations": 2}


def test_marks_alone_are_what_bars_are_made_of():
    assert subjects("binance", recorded([MARK])).service == "ingest-trades"


def test_a_contract_of_a_thousand_coins_is_one():
    (instrument,) = subjects("binance", recorded(TRADE)).instruments
    assert (instrument.coin, instrument.multiplier) == ("PEPE", 1000.0)
