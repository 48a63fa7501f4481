"""What every exchange's sockets are asked to carry, and that it is no more than the venue takes."""

import json
from functools import reduce
from math import inf
from operator import getitem
from pathlib import Path

import msgspec
import pytest

from foreshock_exchanges import NAMES, load, testing
from foreshock_exchanges.base import Channel
from foreshock_exchanges.venue import FOR_LIFE

FIXTURES = testing.fixtures(Path(__file__).parent / "fixtures")
MANY = 450
CASES = [(name, channel) for name in NAMES for channel in load(name).coverage]


class Limits(msgspec.Struct, kw_only=True):
    """What a venue takes, from its documentation: subscriptions, letters, messages, sockets.

    `at` leads to the list of subscriptions in a message (nowhere: it is one); `marks` is what
    asks for the marks that prove a socket's life.
    """

    at: list[str] = []
    marks: str = ""
    a_message: float = inf
    a_socket: float = inf
    in_all: float = inf
    letters: float = inf
    letters_a_socket: float = inf
    messages: float = inf
    a_second: float = inf
    sockets: float = inf

    def counted(self, message: str) -> list[object]:
        """Return the subscriptions in a message."""
        return reduce(getitem, self.at, json.loads(message)) if self.at else [message]


LIMITS = {
    name: msgspec.convert(fixture.get("limits", {}), Limits) for name, fixture in FIXTURES.items()
}


def many(name):
    return [FIXTURES[name]["symbol_of"].format(f"COIN{number}") for number in range(MANY)]


def asked(feed):
    return [json.loads(word) for word in feed.hello]


@pytest.mark.parametrize("name", FIXTURES)
def test_a_channel_without_public_feed_has_no_sockets(name):
    adapter = load(name)
    for channel in Channel:
        opened = adapter.feeds(channel, FIXTURES[name]["feeds"][0]["symbols"], "wss://host")
        assert bool(opened) == (channel in adapter.coverage)


@pytest.mark.parametrize("name", FIXTURES)
def test_feeds_say_what_they_follow(name):
    adapter = load(name)
    for feed in FIXTURES[name]["feeds"]:
        channel = Channel(feed["channel"])
        opened = adapter.feeds(channel, feed["symbols"], "wss://host")
        assert [each.url for each in opened] == feed["urls"]
        said = "".join(word for each in opened for word in each.hello)
        assert all(stream in said for stream in feed["says"])
        assert all(each.silence_s > 0 for each in opened)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channel", Channel)
def test_where_no_contract_is_followed_no_socket_is_opened(name, channel):
    assert load(name).feeds(channel, [], "wss://host") == []


@pytest.mark.parametrize(("name", "channel"), CASES)
def test_many_contracts_are_all_asked_for_or_the_whole_market_is(name, channel):
    symbols = many(name)
    opened = load(name).feeds(channel, symbols, "wss://host")
    few = load(name).feeds(channel, symbols[:FOR_LIFE], "wss://host")
    for words in ("hello", "retry"):
        said = "".join(word for feed in opened for word in getattr(feed, words)).lower()
        of_all = channel is Channel.LIQUIDATIONS and opened == few
        assert of_all or not said or all(symbol.lower() in said for symbol in symbols)


@pytest.mark.parametrize(("name", "channel"), CASES)
def test_many_contracts_are_not_too_many_for_the_venue(name, channel):
    opened, limits = load(name).feeds(channel, many(name), "wss://host"), LIMITS[name]
    assert len(opened) <= limits.sockets
    total = 0
    for feed in opened:
        counts = [len(limits.counted(word)) for word in feed.hello]
        total += sum(counts)
        assert max(counts) <= limits.a_message
        assert sum(counts) <= limits.a_socket
        assert max(map(len, feed.hello)) <= limits.letters
        args = [json.dumps(limits.counted(word)) for word in (*feed.hello, *feed.retry)]
        assert sum(map(len, args)) <= limits.letters_a_socket
        assert len(feed.hello) + len(feed.retry) <= limits.messages
        assert 1 / feed.pace_s <= limits.a_second
    assert total <= limits.in_all


@pytest.mark.parametrize(("name", "channel"), CASES)
def test_each_socket_carries_marks_that_prove_its_life(name, channel):
    for feed in load(name).feeds(channel, many(name), "wss://host"):
        assert any(LIMITS[name].marks in word for word in feed.hello)


def test_bitget_keeps_trades_under_fifty_subscriptions_a_socket():
    symbols = [f"COIN{number}USDT" for number in range(60)]
    opened = load("bitget").feeds(Channel.TRADES, symbols, "wss://host")
    counts = [sum(len(said["args"]) for said in asked(feed)) for feed in opened]
    assert counts == [48, 48, 24]


def test_bitget_liquidations_are_one_subscription_on_one_socket():
    symbols = [f"COIN{number}USDT" for number in range(60)]
    (feed,) = load("bitget").feeds(Channel.LIQUIDATIONS, symbols, "wss://host")
    args = [arg for said in asked(feed) for arg in said["args"]]
    assert [arg for arg in args if arg["topic"] == "liquidation"] == [
        {"instType": "usdt-futures", "topic": "liquidation"}
    ]
    assert feed.ping == "ping"


@pytest.mark.parametrize(
    ("channel", "marked"), [(Channel.LIQUIDATIONS, [10]), (Channel.TRADES, [100, 50])]
)
def test_gate_asks_for_decimals_and_once_more_contract_by_contract(channel, marked):
    symbols = [f"COIN{number}_USDT" for number in range(150)]
    (feed,) = load("gate").feeds(channel, symbols, "wss://host")
    assert dict(feed.headers) == {"X-Gate-Size-Decimal": "1"}
    assert json.loads(feed.ping)["channel"] == "futures.ping"
    tickers = [said["payload"] for said in asked(feed) if said["channel"] == "futures.tickers"]
    assert [len(page) for page in tickers] == marked
    payloads = [json.loads(word)["payload"] for word in feed.retry]
    assert all(len(payload) == 1 for payload in payloads)


def test_deribit_s_subscriptions_are_slower_and_kept_alive_by_words():
    symbols = [f"COIN{number}_USDC-PERPETUAL" for number in range(120)]
    (feed,) = load("deribit").feeds(Channel.TRADES, symbols, "wss://host")
    assert len(feed.hello) == 3
    assert feed.pace_s >= 1 / 3.3
    assert json.loads(feed.ping)["method"] == "public/test"
