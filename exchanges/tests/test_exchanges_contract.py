"""What every exchange's adapter must keep; an exchange joins by adding its file to `fixtures`.

A fixture has `frames` (each with the `events`, the reason why it is `ignored`, or `malformed`) and
`rest` (each a request, and what its body says). Expected fields may be some of the event's.
"""

import ast
import contextlib
import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foreshock_exchanges
from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import (
    Channel,
    Ignored,
    MalformedFrame,
    MarkPrice,
    UnknownInstrument,
)
from foreshock_schemas.events import Liquidation, Trade

FIXTURES = {
    file.stem: json.loads(file.read_text())
    for file in sorted((Path(__file__).parent / "fixtures").glob("*.json"))
}
FRAMES = [(name, frame) for name, fixture in FIXTURES.items() for frame in fixture["frames"]]
BODIES = [(name, call) for name, fixture in FIXTURES.items() for call in fixture["rest"]]
AHEAD_MS = 5_000


def wire(frame) -> bytes:
    if "hex" in frame:
        return bytes.fromhex(frame["hex"])
    if "raw" in frame:
        return frame["raw"].encode() * frame.get("times", 1)
    return json.dumps(frame["frame"], separators=(",", ":")).encode()


def same(found, expected) -> bool:
    if isinstance(expected, dict):
        return all(
            same(type(found).__name__ if field == "kind" else getattr(found, field), value)
            for field, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12)
    return found == expected


def check_events(events, recv_ms) -> None:
    for event in events:
        assert isinstance(event, Trade | Liquidation | MarkPrice)
        assert 0 < event.ts_event_ms <= recv_ms + AHEAD_MS
        amounts = (
            [event.mark_price]
            if isinstance(event, MarkPrice)
            else [event.price, event.size_coins, event.notional_usd]
        )
        assert all(math.isfinite(amount) and amount > 0 for amount in amounts)
        assert event.coin


def test_every_exchange_has_a_fixture():
    assert sorted(FIXTURES) == sorted(NAMES)


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=[f"{n}: {f['name']}" for n, f in FRAMES])
def test_a_frame_says_what_it_is_expected_to(name, frame):
    adapter, recv_ms = load(name), FIXTURES[name]["recv_ms"]
    if frame.get("malformed"):
        with pytest.raises(MalformedFrame, match=name):
            adapter.parse(wire(frame), recv_ms)
        return
    found = adapter.parse(wire(frame), recv_ms)
    if "ignored" in frame:
        assert found == Ignored(frame["ignored"])
        return
    assert same(found, frame["events"]), found
    check_events(found, recv_ms)
    assert adapter.parse(wire(frame), recv_ms + 1) == [
        msgspec.structs.replace(event, ts_recv_ms=recv_ms + 1) for event in found
    ], "the same fact has the same id whenever it is read"


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_has_events_of_every_channel(name):
    given_kinds = {
        (frame.get("channel"), event["kind"])
        for frame in FIXTURES[name]["frames"]
        for event in frame.get("events", ())
    }
    assert {("trades", "Trade"), ("liquidations", "Liquidation")} <= given_kinds


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
def test_a_request_and_what_its_body_says(name, call):
    rest = load(name).rest
    asked = getattr(rest, call["call"])(*call["args"])
    requests, wanted = (
        (asked, call["request"]) if isinstance(asked, list) else ([asked], [call["request"]])
    )
    for request, want in zip(requests, wanted, strict=True):
        shown = json.loads(msgspec.json.encode(request))
        assert {field: shown[field] for field in want} == want
    body = json.dumps(call["body"]).encode()
    if call.get("malformed"):
        with pytest.raises(MalformedFrame):
            getattr(rest, call["read"])(body, *call["read_args"])
        return
    said = getattr(rest, call["read"])(body, *call["read_args"])
    assert said == call["expect"] if isinstance(said, dict) else same(said, call["expect"]), said


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"code":-1121,"msg":"Invalid symbol."}'])
def test_a_body_that_is_not_as_documented_is_malformed(name, call, body):
    with pytest.raises(MalformedFrame):
        getattr(load(name).rest, call["read"])(body, *call["read_args"])


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


@pytest.mark.parametrize("name", FIXTURES)
def test_many_contracts_are_spread_over_sockets(name):
    symbols = [f"COIN{number}USDT" for number in range(450)]
    opened = load(name).feeds(Channel.TRADES, symbols, "wss://host")
    said = "".join(word for feed in opened for word in feed.hello).lower()
    assert len(opened) > 1
    assert all(f"{symbol.lower()}" in said for symbol in symbols)


@pytest.mark.parametrize("name", FIXTURES)
def test_what_instruments_say_of_a_contract_counts(name):
    adapter, fixture = load(name), FIXTURES[name]
    body = next(call for call in fixture["rest"] if call["read"] == "read_instruments")
    instruments = adapter.rest.read_instruments(json.dumps(body["body"]).encode(), 1)
    told = [msgspec.structs.replace(each, coin="OTHER", multiplier=10.0) for each in instruments]
    adapter.learn(told)
    frame = next(f for f in fixture["frames"] if f.get("events", [{}])[0].get("kind") == "Trade")
    (event,) = adapter.parse(wire(frame), fixture["recv_ms"])
    assert event.coin == "OTHER"
    assert event.notional_usd == pytest.approx(frame["events"][0]["notional_usd"])


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "NaN", "Infinity", "-1", "1e400", "0", "\u0000", "ZZZ"]),
    st.just([]),
    st.just({}),
)


def paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from paths(inner, (*path, key))


def leaves(said):
    return [value for each in said for value in msgspec.structs.astuple(each)]


def mutated(value, path, change):
    if not path:
        return change
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = mutated(copy[key], rest, change)
    return copy


def takes(name, raw: bytes) -> None:
    """The adapter gives events that hold, a reason, or one of its two errors; nothing else."""
    recv_ms = FIXTURES[name]["recv_ms"]
    try:
        found = load(name).parse(raw, recv_ms)
    except (MalformedFrame, UnknownInstrument):
        return
    if isinstance(found, list):
        check_events(found, recv_ms)
    else:
        assert isinstance(found, Ignored)


@given(st.data())
def test_frames_with_other_values_do_no_harm(data):
    name, frame = data.draw(st.sampled_from([each for each in FRAMES if "frame" in each[1]]))
    value = frame["frame"]
    path = data.draw(st.sampled_from(list(paths(value))))
    takes(name, json.dumps(mutated(value, path, data.draw(JUNK))).encode())


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_body_s_numbers_are_finite_or_it_is_malformed(name, call, number):
    for path in paths(call["body"]):
        body = json.dumps(mutated(call["body"], path, number)).encode()
        with contextlib.suppress(MalformedFrame):
            said = getattr(load(name).rest, call["read"])(body, *call["read_args"])
            numbers = said.values() if isinstance(said, dict) else leaves(said)
            assert all(math.isfinite(each) for each in numbers if isinstance(each, float)), path


@given(st.data())
def test_frames_with_other_bytes_do_no_harm(data):
    name, frame = data.draw(st.sampled_from(FRAMES))
    raw = bytearray(wire(frame)[:2_000])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(0, len(raw) - 1)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    takes(name, bytes(raw))


@given(st.sampled_from(sorted(FIXTURES)), st.binary(max_size=200))
def test_any_bytes_do_no_harm(name, raw):
    takes(name, raw)


def test_an_unknown_exchange_names_those_there_are():
    with pytest.raises(KeyError, match="binance"):
        load("mtgox")


def test_adapters_ask_for_neither_time_nor_chance_nor_network():
    root = Path(foreshock_exchanges.__file__).parent
    forbidden = {"asyncio", "time", "random", "socket", "httpx", "websockets", "datetime"}
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in getattr(node, "names", ())]
            names.append(getattr(node, "module", "") or "")
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not forbidden & {part.split(".")[0] for part in names}, file
