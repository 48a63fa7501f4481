"""What one frame or body of Bybit does not show: state from frame to frame, sockets, pages."""

import json

import pytest

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel, Ignored, MalformedMessage, MarkPrice
from foreshock_schemas.events import OpenInterest

NOW = 1_795_000_000_000
BOTH = [Channel.LIQUIDATIONS, Channel.TRADES]


def ticker(kind, symbol="BTCUSDT", **fields):
    data = {"symbol": symbol} | fields
    frame = {"topic": f"tickers.{symbol}", "type": kind, "data": data, "cs": 1, "ts": NOW}
    return json.dumps(frame).encode()


def args_of(words):
    return [topic for word in words for topic in json.loads(word)["args"]]


def test_a_delta_changes_only_what_it_names():
    bybit = load("bybit")
    bybit.parse(
        ticker(
            "snapshot",
            markPrice="100",
            indexPrice="99",
            fundingRate="0.0001",
            fundingIntervalHour="8",
            nextFundingTime=str(NOW),
        ),
        NOW,
    )
    assert bybit.parse(ticker("delta", fundingRate="0"), NOW) is Ignored.UNCHANGED
    [mark] = bybit.parse(ticker("delta", markPrice="101"), NOW)
    assert isinstance(mark, MarkPrice)
    assert (mark.mark_price, mark.index_price) == (101.0, 99.0)
    [interest] = bybit.parse(ticker("delta", openInterest="6", singleOpenInterest="3"), NOW)
    assert isinstance(interest, OpenInterest)
    assert (interest.open_interest_coins, interest.open_interest_usd) == (3.0, 303.0)
    assert (interest.mark_price, interest.index_price) == (101.0, 99.0)
    assert (interest.funding_rate, interest.funding_interval_h) == (0.0, 8.0)
    assert interest.next_funding_ms == NOW


def test_a_snapshot_replaces_what_was_known():
    bybit = load("bybit")
    bybit.parse(ticker("snapshot", markPrice="100", indexPrice="99"), NOW)
    [mark] = bybit.parse(ticker("snapshot", markPrice="100"), NOW)
    assert mark.index_price is None
    assert bybit.parse(ticker("snapshot"), NOW) is Ignored.UNCHANGED
    assert bybit.parse(ticker("delta", singleOpenInterest="3"), NOW) is Ignored.UNCHANGED


def test_contracts_do_not_mix():
    bybit = load("bybit")
    bybit.parse(ticker("snapshot", markPrice="100"), NOW)
    found = bybit.parse(ticker("delta", "ETHUSDT", singleOpenInterest="3"), NOW)
    assert found is Ignored.UNCHANGED


def test_a_number_that_is_none_does_not_stay():
    bybit = load("bybit")
    bybit.parse(ticker("snapshot", markPrice="100", fundingRate="0.1"), NOW)
    with pytest.raises(MalformedMessage):
        bybit.parse(ticker("delta", markPrice="101", fundingRate="nan"), NOW)
    [interest] = bybit.parse(ticker("delta", singleOpenInterest="1"), NOW)
    assert (interest.mark_price, interest.funding_rate) == (100.0, 0.1)


def test_names_on_the_wire_do_not_fill_the_memory():
    bybit = load("bybit")
    for number in range(10_001):
        bybit.parse(ticker("snapshot", f"C{number}USDT", markPrice="1"), NOW)
    forgotten, kept = (ticker("delta", f"C{n}USDT", singleOpenInterest="3") for n in (0, 10_000))
    assert bybit.parse(forgotten, NOW) is Ignored.UNCHANGED
    assert len(bybit.parse(kept, NOW)) == 1


@pytest.mark.parametrize("channel", BOTH)
def test_a_socket_asks_for_no_more_than_bybit_takes(channel):
    symbols = [f"1000000COIN{number}USDT" for number in range(1_000)]
    feeds = load("bybit").feeds(channel, symbols, "wss://host")
    assert len(feeds) > 1
    for feed in feeds:
        asked = args_of(feed.hello)
        assert len(json.dumps([*asked, *args_of(feed.retry)])) < 21_000
        assert args_of(feed.retry) == asked
        assert all(len(json.loads(word)["args"]) == 1 for word in feed.retry)
        assert any(topic.startswith("tickers.") for topic in asked)
    topic = "allLiquidation" if channel is Channel.LIQUIDATIONS else "publicTrade"
    asked = [each for feed in feeds for each in args_of(feed.hello)]
    assert [each for each in asked if each.startswith(topic)] == [f"{topic}.{s}" for s in symbols]
    marked = sum(each.startswith("tickers.") for each in asked)
    assert marked == (len(symbols) if channel is Channel.TRADES else 10 * len(feeds))


def test_a_socket_says_ping_in_bybit_s_own_words():
    [feed] = load("bybit").feeds(Channel.TRADES, ["BTCUSDT"], "wss://host")
    assert json.loads(feed.ping) == {"op": "ping"}
    assert feed.ping_every_s == 20.0


@pytest.mark.parametrize("cursor", ["", None])
def test_the_last_page_has_no_next(cursor):
    rest = load("bybit").rest
    body = {"retCode": 0, "result": {"list": [], "nextPageCursor": cursor}, "time": NOW}
    assert rest.next_page(rest.instruments(), json.dumps(body).encode()) is None


def test_pages_follow_the_cursor_that_came_last():
    rest = load("bybit").rest
    asked = rest.instruments()
    for cursor, sent in (("first%3DA%26last%3DB", "first=A&last=B"), ("plain", "plain")):
        result = {"list": [{"symbol": "whatever"}], "nextPageCursor": cursor}
        body = {"retCode": 0, "result": result, "time": NOW}
        asked = rest.next_page(asked, json.dumps(body).encode())
        assert asked.path == rest.instruments().path
        assert asked.params == (*rest.instruments().params, ("cursor", sent))


def test_a_refused_page_is_malformed():
    rest = load("bybit").rest
    body = b'{"retCode":10006,"retMsg":"Too many visits!","result":{},"time":1}'
    with pytest.raises(MalformedMessage, match="10006"):
        rest.next_page(rest.instruments(), body)


def test_a_403_is_left_alone_for_ten_minutes():
    assert dict(load("bybit").rest.budget.refused_s)[403] == 600.0
