"""What every exchange's adapter must keep; an exchange joins by adding its file to `fixtures`."""

import ast
import gzip
import json
import math
import re
from pathlib import Path

import msgspec
import pytest

import foreshock_exchanges
from foreshock_exchanges import NAMES, load, testing
from foreshock_exchanges.base import (
    Answer,
    Channel,
    Ignored,
    MalformedMessage,
    OtherStream,
    Unsized,
)
from foreshock_schemas.events import Instrument, Liquidation
from foreshock_schemas.testing import sample

FIXTURES = testing.fixtures(Path(__file__).parent / "fixtures")
FRAMES = [(name, frame) for name, fixture in FIXTURES.items() for frame in fixture["frames"]]
BODIES = [(name, call) for name, fixture in FIXTURES.items() for call in fixture["rest"]]


def adapter_of(name):
    return testing.adapter_of(name, FIXTURES[name])


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


def test_a_venue_that_packs_its_frames_is_sent_them_packed():
    packing = {"packed": "gzip"}
    assert gzip.decompress(testing.sent(packing, {"frame": {"ping": 7}})) == b'{"ping":7}'
    assert testing.sent(packing, {"hex": "7b7d"}) == b"{}"
    assert testing.sent({}, {"raw": "{}"}) == b"{}"


def test_every_exchange_has_a_fixture():
    assert sorted(FIXTURES) == sorted(NAMES)


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=[f"{n}: {f['name']}" for n, f in FRAMES])
def test_a_frame_says_what_it_is_expected_to(name, frame):
    adapter, recv_ms = adapter_of(name), FIXTURES[name]["recv_ms"]
    if frame.get("malformed"):
        with pytest.raises(MalformedMessage, match=name):
            adapter.parse(testing.sent(FIXTURES[name], frame), recv_ms)
        return
    found = adapter.parse(testing.sent(FIXTURES[name], frame), recv_ms)
    if not isinstance(found, list):
        assert found == reason_in(frame)
        return
    assert same(found, frame["events"]), found
    again = adapter_of(name).parse(testing.sent(FIXTURES[name], frame), recv_ms + 1)
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


@pytest.mark.parametrize("name", [n for n, f in FIXTURES.items() if "slow_down" in f])
def test_a_body_that_means_slow_down_is_known_and_no_other(name):
    pattern = re.compile(load(name).rest.budget.slow_down)
    assert pattern.search(FIXTURES[name]["slow_down"])
    good = [call.get("body") for n, call in BODIES if n == name and not call.get("malformed")]
    assert not any(pattern.search(json.dumps(body)) for body in good)


@pytest.mark.parametrize("name", FIXTURES)
def test_liquidations_say_how_much_of_them_is_shown(name):
    adapter = adapter_of(name)
    for frame in FIXTURES[name]["frames"]:
        if any(event.get("kind") == "Liquidation" for event in frame.get("events", ())):
            found = adapter.parse(testing.sent(FIXTURES[name], frame), FIXTURES[name]["recv_ms"])
            shown = {event.coverage for event in found if isinstance(event, Liquidation)}
            assert shown == {adapter.coverage[Channel.LIQUIDATIONS]}


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
            testing.read(rest, call, testing.bodies_of(call))
        return
    said = testing.read(rest, call, testing.bodies_of(call))
    assert same(said, call["expect"]), said


@pytest.mark.parametrize(("name", "call"), BODIES, ids=[f"{n}: {c['read']}" for n, c in BODIES])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"code":-1121,"msg":"Invalid symbol."}'])
def test_a_body_that_is_not_as_documented_is_malformed(name, call, body):
    with pytest.raises(MalformedMessage):
        testing.read(adapter_of(name).rest, call, [body] * len(testing.bodies_of(call)))


@pytest.mark.parametrize("name", FIXTURES)
def test_what_instruments_say_of_a_contract_counts(name):
    adapter, fixture = load(name), FIXTURES[name]
    frame = next(f for f in fixture["frames"] if f.get("events", [{}])[0].get("kind") == "Trade")
    expected = frame["events"][0]
    before = adapter_of(name).parse(testing.sent(FIXTURES[name], frame), fixture["recv_ms"])[0]
    told = {"multiplier": 1.0, "contract_size": 1.0, "inverse": False} | next(
        (each for each in fixture.get("instruments", ()) if each["symbol"] == before.symbol), {}
    )
    contract = sample(
        Instrument,
        **told | {"exchange": name, "symbol": before.symbol, "coin": "OTHER", "multiplier": 10.0},
    )
    adapter.learn([contract])
    event = adapter.parse(testing.sent(FIXTURES[name], frame), fixture["recv_ms"])[0]
    assert event.coin == "OTHER"
    assert event.notional_usd == pytest.approx(expected.get("notional_usd", event.notional_usd))


@pytest.mark.parametrize("name", [n for n, f in FIXTURES.items() if f.get("instruments")])
def test_a_contract_whose_size_nobody_knows_is_refused_and_never_guessed(name):
    fixture = FIXTURES[name]
    for frame in fixture["frames"]:
        if any(event.get("kind") in {"Trade", "Liquidation"} for event in frame.get("events", ())):
            found = load(name).parse(testing.sent(FIXTURES[name], frame), fixture["recv_ms"])
            assert isinstance(found, Ignored) or all(isinstance(e, Unsized) for e in found)


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
