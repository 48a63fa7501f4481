"""What a recording is about, told by its frames."""

import json

import pytest

from foreshock_cli.witness import subjects
from foreshock_exchanges.base import Unsized
from foreshock_exchanges.contracts import Contract, Contracts
from foreshock_exchanges.venue import VenueAdapter
from foreshock_schemas.events import Instrument, OpenInterest
from foreshock_schemas.testing import sample

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


def test_contracts_are_as_they_were_told():
    pepe = sample(Instrument, exchange="binance", symbol="1000PEPEUSDT", coin="FROG", multiplier=9)
    other = sample(Instrument, exchange="binance", symbol="ETHUSDT")
    assert subjects("binance", recorded(TRADE), [pepe, other]).instruments == (pepe,)


class Lots(VenueAdapter):
    """A venue whose symbols tell little: one is inverse, of others nobody knows the size."""

    name = "binance"

    def __init__(self):
        inverse = Contract("binance", "XBTUSD", "BTC", size=100.0, inverse=True)
        super().__init__(Contracts({"XBTUSD": inverse}.get))
        self.contracts.known["ETHUSD"] = Unsized("ETHUSD")

    def read(self, frame, recv_ms):
        symbol = frame.decode()
        interest = sample(OpenInterest, exchange="binance", symbol=symbol, coin="BTC")
        return self.each([symbol], str, lambda *_: interest)


@pytest.fixture
def lots(monkeypatch):
    monkeypatch.setattr("foreshock_cli.witness.load", lambda _: Lots())


def test_what_the_adapter_knows_of_a_contract_holds_without_being_told(lots):
    found = subjects("binance", [b"XBTUSD", b"ETHUSD", b"LTCUSD"])
    (contract,) = found.instruments
    assert (contract.symbol, contract.coin, contract.contract_size) == ("XBTUSD", "BTC", 100.0)
    assert contract.inverse
    assert found.events == {}, "open interest is no ingester's"


def test_what_was_told_gives_a_size_to_what_has_none(lots):
    told = sample(Instrument, exchange="binance", symbol="ETHUSD", contract_size=10.0)
    assert subjects("binance", [b"ETHUSD"], [told]).instruments == (told,)
