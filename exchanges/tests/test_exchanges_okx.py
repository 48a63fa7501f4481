"""What one frame or body of OKX does not show: state from frame to frame, sockets, pages."""

import json

import pytest

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel, Ignored
from foreshock_schemas.events import Instrument, OpenInterest
from foreshock_schemas.testing import sample

NOW = 1_795_000_000_000
BTC = "BTC-USDT-SWAP"


@pytest.fixture
def okx():
    adapter = load("okx")
    told = {"exchange": "okx", "coin": "BTC", "multiplier": 1.0, "status": "trading"}
    adapter.learn(
        [
            sample(Instrument, symbol=BTC, contract_size=0.01, **told),
            sample(Instrument, symbol="BTC-USD-SWAP", contract_size=100.0, inverse=True, **told),
        ]
    )
    return adapter


def frame(channel, symbol=BTC, **row):
    arg = {"channel": channel, "instId": symbol}
    return json.dumps({"arg": arg, "data": [{"instId": symbol, "ts": str(NOW)} | row]}).encode()


def answer(rows):
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def test_open_interest_is_in_usd_at_the_last_mark(okx):
    assert okx.parse(frame("open-interest", oi="5", oiCcy="3"), NOW) is Ignored.EMPTY
    okx.parse(frame("mark-price", markPx="100"), NOW)
    okx.parse(frame("mark-price", "BTC-USD-SWAP", markPx="70"), NOW)
    [interest] = okx.parse(frame("open-interest", oi="5", oiCcy="3", oiUsd="9"), NOW)
    assert isinstance(interest, OpenInterest)
    assert (interest.open_interest_coins, interest.open_interest_usd) == (3.0, 300.0)
    assert (interest.mark_price, interest.ts_event_ms) == (100.0, NOW)


def test_a_size_that_changes_counts_from_then_on(okx):
    trade = frame("trades", tradeId="1", px="100", sz="5", side="buy")
    assert okx.parse(trade, NOW)[0].notional_usd == 5.0
    okx.learn([sample(Instrument, exchange="okx", symbol=BTC, multiplier=1.0, contract_size=1.0)])
    assert okx.parse(trade, NOW)[0].notional_usd == 500.0


def test_liquidations_come_on_one_socket_and_trades_on_several():
    symbols = [f"C{number}-USDT-SWAP" for number in range(250)]
    [liquidations] = load("okx").feeds(Channel.LIQUIDATIONS, symbols, "wss://host")
    assert sum("liquidation-orders" in word for word in liquidations.hello) == 1
    trades = load("okx").feeds(Channel.TRADES, symbols, "wss://host")
    assert len(trades) == 2
    for feed in [liquidations, *trades]:
        assert all(len(word) < 64_000 for word in feed.hello)
        assert (feed.ping, feed.ping_every_s < 30) == ("ping", True)
        assert ":8443" not in feed.url


def test_tiers_of_linear_swaps_are_in_usd_once_a_mark_is_known(okx):
    tiers = answer(
        [
            {"instFamily": "BTC-USDT", "minSz": "0", "mmr": "0.004", "maxLever": "100"},
            {"instFamily": "BTC-USDT", "minSz": "500", "mmr": "0.005", "maxLever": "75"},
        ]
    )
    assert okx.rest.read_tiers(tiers) == {}
    marks = answer([{"instId": BTC, "markPx": "80000", "ts": str(NOW)}])
    okx.rest.read_premiums([marks, answer([]), answer([])], NOW)
    first, second = okx.rest.read_tiers(tiers)[BTC]
    assert (first.floor_usd, first.deduction_usd) == (0.0, 0.0)
    assert second.floor_usd == 400_000.0
    assert second.deduction_usd == pytest.approx(400.0)


def test_older_candles_are_on_the_next_page(okx):
    row = ["10", "12", "9", "11", "1", "1", "10", "1"]
    body = answer([[str(NOW - 3_600_000 * back), *row] for back in range(300)])
    asked = okx.rest.klines(BTC, "1h", 721, NOW)
    older = okx.rest.next_page(asked, body)
    assert older.params == (*asked.params, ("after", str(NOW - 3_600_000 * 299)))
    assert okx.rest.next_page(older, body).params == older.params
    assert okx.rest.next_page(older, answer([])) is None


def test_what_fits_one_answer_has_no_next_page(okx):
    row = [str(NOW), "10", "12", "9", "11", "1", "1", "10", "1"]
    assert okx.rest.next_page(okx.rest.klines(BTC, "1h", 2, NOW), answer([row, row])) is None
    assert okx.rest.next_page(okx.rest.instruments(), answer([])) is None
