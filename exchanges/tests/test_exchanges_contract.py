"""What every exchange's adapter must keep; an exchange joins by adding its file to `fixtures`.

A fixture has the `instruments` that the venue's sizes need, `frames` (each with the `events`, the
reason why it is `ignored`, the name of the `other_stream`, the `answer` that the venue wants, or
`malformed`) and `rest` (each a request, and what its body says). Expected fields may be some of
the event's. Where `packed` is "gzip", frames are packed before the adapter gets them.
"""

import ast
import contextlib
import gzip
import json
import math
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foreshock_exchanges
from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import (
    Answer,
    Channel,
    Ignored,
    MalformedMessage,
    MarkPrice,
    OtherStream,
    Unsized,
)
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Instrument, Liquidation, OpenInterest, Trade
from foreshock_schemas.testing import sample

FIXTURES = {
    file.stem: json.loads(file.read_text())
    for file in sorted((Path(__file__).parent / "fixtures").glob("*.json"))
}
FRAMES = [(name, frame) for name, fixture in FIXTURES.items() for frame in fixture["frames"]]
BODIES = [(name, call) for name, fixture in FIXTURES.items() for call in fixture["rest"]]
AHEAD_MS = 5_000
MUTATED = 100_000


def adapter_of(name):
    """Return the adapter, told the contracts that its fixture has."""
    adapter = load(name)
    adapter.learn(
        [
            sample(Instrument, exchange=name, **{"status": "trading", "multiplier": 1.0} | told)
            for told in FIXTURES[name].get("instruments", ())
        ]
    )
    return adapter


def wire(name, frame) -> bytes:
    """Return a frame as the venue sends it; `hex` is so already."""
    return words(frame) if "hex" in frame else packed(name, words(frame))


def words(frame) -> bytes:
    if "hex" in frame:
        return bytes.fromhex(frame["hex"])
    if "raw" in frame:
        return frame["raw"].encode() * frame.get("times", 1)
    return json.dumps(frame["frame"], separators=(",", ":")).encode()


def packed(name, raw: bytes) -> bytes:
    return gzip.compress(raw, 1, mtime=0) if FIXTURES[name].get("packed") == "gzip" else raw


def same(found, expected) -> bool:
    if isinstance(found, dict):
        return list(found) == list(expected) and all(map(same, found.values(), expected.values()))
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
        if isinstance(event, Unsized):
            continue
        assert isinstance(event, Trade | Liquidation | MarkPrice | OpenInterest)
        assert 0 < event.ts_event_ms <= recv_ms + AHEAD_MS
        amounts = (
            [event.price, event.size_coins, event.notional_usd]
            if isinstance(event, Trade | Liquidation)
            else [event.mark_price]
        )
        assert all(math.isfinite(amount) and amount > 0 for amount in amounts)
        assert event.coin


def test_a_venue_that_packs_its_frames_is_sent_them_packed(monkeypatch):
    monkeypatch.setitem(FIXTURES, "mtgox", {"packed": "gzip"})
    assert gzip.decompress(wire("mtgox", {"frame": {"ping": 7}})) == b'{"ping":7}'
    assert wire("mtgox", {"hex": "7b7d"}) == b"{}"
    assert wire("binance", {"raw": "{}"}) == b"{}"


def test_every_exchange_has_a_fixture():
    assert sorted(FIXTURES) == sorted(NAMES)


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=[f"{n}: {f['name']}" for n, f in FRAMES])
def test_a_frame_says_what_it_is_expected_to(name, frame):
    adapter, recv_ms = adapter_of(name), FIXTURES[name]["recv_ms"]
    if frame.get("malformed"):
        with pytest.raises(MalformedMessage, match=name):
            adapter.parse(wire(name, frame), recv_ms)
        return
    found = adapter.parse(wire(name, frame), recv_ms)
    if not isinstance(found, list):
        assert found == reason_in(frame)
        return
    assert same(found, frame["events"]), found
    check_events(found, recv_ms)
    again = adapter_of(name).parse(wire(name, frame), recv_ms + 1)
    assert [ids(event) for event in again] == [ids(event) for event in found], (
        "the same fact has the same id whenever it is read"
    )


def reason_in(frame):
    """Return why a fixture's frame gives no events."""
    if "other_stream" in frame:
        return OtherStream(frame["other_stream"])
    return Answer(frame["answer"]) if "answer" in frame else Ignored(frame["ignored"])


def ids(event):
    return getattr(event, "event_id", event.symbol)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_has_events_of_every_channel(name):
    given_kinds = {
        (frame.get("channel"), event["kind"])
        for frame in FIXTURES[name]["frames"]
        for event in frame.get("events", ())
    }
    kinds = {Channel.TRADES: "Trade", Channel.LIQUIDATIONS: "Liquidation"}
    assert {(channel, kinds[channel]) for channel in load(name).coverage} <= given_kinds


@pytest.mark.parametrize("name", FIXTURES)
def test_a_channel_without_public_feed_has_no_sockets(name):
    adapter = load(name)
    for channel in Channel:
        opened = adapter.feeds(channel, FIXTURES[name]["feeds"][0]["symbols"], "wss://host")
        assert bool(opened) == (channel in adapter.coverage)


@pytest.mark.parametrize("name", FIXTURES)
def test_liquidations_say_how_much_of_them_is_shown(name):
    adapter = adapter_of(name)
    for frame in FIXTURES[name]["frames"]:
        if any(event.get("kind") == "Liquidation" for event in frame.get("events", ())):
            found = adapter.parse(wire(name, frame), FIXTURES[name]["recv_ms"])
            shown = {event.coverage for event in found if isinstance(event, Liquidation)}
            assert shown == {adapter.coverage[Channel.LIQUIDATIONS]}


def read_body(rest, call, body=None):
    """Read a call's body, or `bodies` where several answers are read together."""
    bodies = call["bodies"] if "bodies" in call else [call["body"]]
    given = [json.dumps(each).encode() if body is None else body for each in bodies]
    together = call["read"] == "read_premiums"
    return getattr(rest, call["read"])(given if together else given[0], *call["read_args"])


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
def test_a_request_and_what_its_body_says(name, call):
    rest = adapter_of(name).rest
    asked = getattr(rest, call["call"])(*call["args"])
    wanted = call["request"] if isinstance(call["request"], list) else [call["request"]]
    requests = asked if isinstance(asked, list) else [asked]
    for request, want in zip(requests, wanted, strict=True):
        shown = json.loads(msgspec.json.encode(request))
        assert {field: shown[field] for field in want} == want
    if call.get("malformed"):
        with pytest.raises(MalformedMessage):
            read_body(rest, call)
        return
    said = read_body(rest, call)
    assert same(said, call["expect"]), said


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"code":-1121,"msg":"Invalid symbol."}'])
def test_a_body_that_is_not_as_documented_is_malformed(name, call, body):
    with pytest.raises(MalformedMessage):
        read_body(adapter_of(name).rest, call, body)


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
def test_many_contracts_are_all_asked_for_on_every_channel(name):
    symbols = [FIXTURES[name]["symbol_of"].format(f"COIN{number}") for number in range(450)]
    for channel in load(name).coverage:
        opened = load(name).feeds(channel, symbols, "wss://host")
        for words in ("hello", "retry"):
            said = "".join(word for feed in opened for word in getattr(feed, words)).lower()
            by_contract = symbols[0].lower() in said
            assert all(symbol.lower() in said for symbol in symbols) or not by_contract


@pytest.mark.parametrize("name", FIXTURES)
def test_what_instruments_say_of_a_contract_counts(name):
    adapter, fixture = load(name), FIXTURES[name]
    frame = next(f for f in fixture["frames"] if f.get("events", [{}])[0].get("kind") == "Trade")
    expected = frame["events"][0]
    sent = wire(name, frame)
    before = adapter_of(name).parse(sent, fixture["recv_ms"])[0]
    told = {"multiplier": 1.0, "contract_size": 1.0, "inverse": False} | next(
        (each for each in fixture.get("instruments", ()) if each["symbol"] == before.symbol), {}
    )
    contract = sample(
        Instrument,
        **told | {"exchange": name, "symbol": before.symbol, "coin": "OTHER", "multiplier": 10.0},
    )
    adapter.learn([contract])
    event = adapter.parse(sent, fixture["recv_ms"])[0]
    assert event.coin == "OTHER"
    assert event.notional_usd == pytest.approx(expected.get("notional_usd", event.notional_usd))


@pytest.mark.parametrize("name", [n for n, f in FIXTURES.items() if f.get("instruments")])
def test_a_contract_whose_size_nobody_knows_is_refused_and_never_guessed(name):
    fixture = FIXTURES[name]
    for frame in fixture["frames"]:
        if any(event.get("kind") in {"Trade", "Liquidation"} for event in frame.get("events", ())):
            found = load(name).parse(wire(name, frame), fixture["recv_ms"])
            assert isinstance(found, Ignored) or all(isinstance(e, Unsized) for e in found)


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
    if isinstance(said, msgspec.Struct):
        said = msgspec.structs.astuple(said)
    if isinstance(said, dict):
        said = list(said.values())
    if not isinstance(said, list | tuple):
        return [said]
    return [leaf for each in said for leaf in leaves(each)]


def mutated(value, path, change):
    if not path:
        return change
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = mutated(copy[key], rest, change)
    return copy


def takes(name, raw: bytes) -> None:
    """The adapter gives events that hold, a reason, or its one error; nothing else."""
    recv_ms = FIXTURES[name]["recv_ms"]
    for sent in {raw, packed(name, raw)}:
        try:
            found = adapter_of(name).parse(sent, recv_ms)
        except MalformedMessage:
            continue
        if isinstance(found, list):
            check_events(found, recv_ms)
        else:
            assert isinstance(found, Answer | Ignored | OtherStream)


@given(st.data())
def test_frames_with_other_values_do_no_harm(data):
    name, frame = data.draw(st.sampled_from([each for each in FRAMES if "frame" in each[1]]))
    value = frame["frame"]
    path = data.draw(st.sampled_from(list(paths(value))))
    takes(name, json.dumps(mutated(value, path, data.draw(JUNK))).encode())


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_body_s_numbers_are_finite_or_it_is_malformed(name, call, number):
    for path in paths(call["bodies"] if "bodies" in call else [call["body"]]):
        bodies = mutated(call["bodies"] if "bodies" in call else [call["body"]], path, number)
        if not isinstance(bodies, list):
            continue
        with contextlib.suppress(MalformedMessage):
            said = read_body(adapter_of(name).rest, call | {"bodies": bodies})
            assert all(math.isfinite(each) for each in leaves(said) if isinstance(each, float)), (
                path
            )


@given(st.data())
def test_frames_with_other_bytes_do_no_harm(data):
    name, frame = data.draw(st.sampled_from(FRAMES))
    raw = bytearray(words(frame)[:2_000])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(0, len(raw) - 1)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    takes(name, bytes(raw))


@given(st.sampled_from(sorted(FIXTURES)), st.binary(max_size=200))
def test_any_bytes_do_no_harm(name, raw):
    takes(name, raw)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_hundred_thousand_mutated_frames_raise_nothing_but_malformed_message(name):
    fixture, chance = FIXTURES[name], random.Random(name)
    originals = [words(frame)[:2_000] for frame in fixture["frames"]]
    intake = Intake(adapter_of(name), lambda _reason, _frame: None)
    for _ in range(MUTATED):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        intake.take(packed(name, bytes(raw)), fixture["recv_ms"])
    assert intake.malformed > MUTATED / 10


def test_an_unknown_exchange_names_those_there_are():
    with pytest.raises(KeyError, match="binance"):
        load("mtgox")


def test_adapters_ask_for_neither_time_nor_chance_nor_network():
    root = Path(foreshock_exchanges.__file__).parent
    forbidden = {"asyncio", "time", "random", "socket", "httpx", "websockets"}
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in getattr(node, "names", ())]
            names.append(getattr(node, "module", "") or "")
            clock = getattr(node, "attr", "") in {"now", "utcnow", "today"}
            assert not clock, f"{file} asks datetime for the time"
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not forbidden & {part.split(".")[0] for part in names}, file
