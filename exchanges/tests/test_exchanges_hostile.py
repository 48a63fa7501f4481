"""Bytes that no venue documents: an adapter refuses them by its one error, or tells what holds."""

import contextlib
import json
import math
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges import testing
from foreshock_exchanges.base import (
    Answer,
    Ignored,
    MalformedMessage,
    MarkPrice,
    OtherStream,
    Unsized,
)
from foreshock_exchanges.intake import Intake
from foreshock_exchanges.rest import Request
from foreshock_schemas.codec import from_registry_file
from foreshock_schemas.events import (
    Event,
    Instrument,
    Kline,
    Liquidation,
    MarginTier,
    OpenInterest,
    Trade,
)

FIXTURES = testing.fixtures(Path(__file__).parent / "fixtures")
FRAMES = [(name, frame) for name, fixture in FIXTURES.items() for frame in fixture["frames"]]
BODIES = [(name, call) for name, fixture in FIXTURES.items() for call in fixture["rest"]]
CALLS = pytest.mark.parametrize(
    ("name", "call"), BODIES, ids=[f"{name}: {call['read']}" for name, call in BODIES]
)
CODEC = from_registry_file()
AHEAD_MS = 5_000
MUTATED = 100_000


def adapter_of(name):
    return testing.adapter_of(name, FIXTURES[name])


def check_events(events, recv_ms) -> None:
    for event in events:
        if isinstance(event, Unsized):
            continue
        assert isinstance(event, Trade | Liquidation | MarkPrice | OpenInterest)
        untimed = isinstance(event, MarkPrice) and event.ts_event_ms is None
        assert untimed or 0 < event.ts_event_ms <= recv_ms + AHEAD_MS
        amounts = (
            [event.price, event.size_coins, event.notional_usd]
            if isinstance(event, Trade | Liquidation)
            else [event.mark_price]
        )
        assert all(math.isfinite(amount) and amount > 0 for amount in amounts)
        assert event.coin


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "NaN", "Infinity", "-1", "1e400", "0", "\u0000", "ZZZ"]),
    st.just([]),
    st.just({}),
)


def takes(name, raw: bytes, adapter=None) -> None:
    """The adapter gives events that hold, a reason, or its one error; nothing else."""
    recv_ms = FIXTURES[name]["recv_ms"]
    try:
        sent = testing.packed(FIXTURES[name], raw)
        found = (adapter or adapter_of(name)).parse(sent, recv_ms)
    except MalformedMessage:
        return
    if isinstance(found, list):
        check_events(found, recv_ms)
    else:
        assert isinstance(found, Answer | Ignored | OtherStream)


@given(st.data())
def test_frames_with_other_values_do_no_harm(data):
    name, frame = data.draw(st.sampled_from([each for each in FRAMES if "frame" in each[1]]))
    value = frame["frame"]
    path = data.draw(st.sampled_from(list(testing.places(value))))
    takes(name, json.dumps(testing.put(value, path, data.draw(JUNK))).encode())


@given(st.data())
def test_frames_with_other_bytes_do_no_harm(data):
    name, frame = data.draw(st.sampled_from(FRAMES))
    raw = bytearray(testing.frame_of(frame)[:2_000])
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
    originals = [testing.frame_of(frame)[:2_000] for frame in fixture["frames"]]
    intake = Intake(adapter_of(name), lambda _reason, _frame: None)
    for _ in range(MUTATED):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        intake.take(testing.packed(fixture, bytes(raw)), fixture["recv_ms"])
    assert intake.malformed > MUTATED / 10


def leaves(said):
    if isinstance(said, msgspec.Struct):
        said = msgspec.structs.astuple(said)
    if isinstance(said, dict):
        said = list(said.values())
    if not isinstance(said, list | tuple):
        return [said]
    return [leaf for each in said for leaf in leaves(each)]


def structs(said):
    each = list(said.values()) if isinstance(said, dict) else said
    return [row for some in each for row in (some if isinstance(some, tuple) else (some,))]


def check_said(said) -> None:
    """What a body says is finite, its prices and times are some, and Kafka's codec takes it."""
    for number in leaves(said):
        assert not isinstance(number, float) or math.isfinite(number)
    for row in structs(said):
        if isinstance(row, MarginTier):
            assert 0 <= row.rate <= 1 <= row.max_leverage
            continue
        for field in msgspec.structs.fields(row) if isinstance(row, msgspec.Struct) else ():
            value = getattr(row, field.name)
            if value is not None and field.name.endswith("_ms"):
                assert 0 < value < 2**53, field.name
            if value is not None and field.name.endswith(("_price", "_h", "_size", "multiplier")):
                assert value >= 0, field.name
        if isinstance(row, Instrument | Kline | Trade):
            assert isinstance(CODEC.decode(CODEC.encode(row)), Event)


def reads(rest, call, bodies) -> None:
    try:
        said = testing.read(rest, call, bodies)
    except MalformedMessage:
        pass
    else:
        check_said(said)


def pages(rest, call, body) -> None:
    asked = getattr(rest, call["call"])(*call["args"])
    for request in asked if isinstance(asked, list) else [asked]:
        with contextlib.suppress(MalformedMessage):
            assert isinstance(request and rest.next_page(request, body), Request | None)


@CALLS
def test_a_body_with_anything_anywhere_does_no_harm(name, call):
    rest, whole = adapter_of(name).rest, testing.bodies_of(call)
    for number, value in enumerate(map(json.loads, whole)):
        for path in testing.places(value):
            for raw in testing.HOSTILE.values():
                spoilt = testing.spoilt(value, path, raw)
                reads(rest, call, [*whole[:number], spoilt, *whole[number + 1 :]])
                pages(rest, call, spoilt)


@CALLS
def test_a_key_that_comes_twice_does_no_harm(name, call):
    rest, whole = adapter_of(name).rest, testing.bodies_of(call)
    for number, value in enumerate(map(json.loads, whole)):
        for path in testing.places(value):
            if twice := testing.repeated(value, path):
                reads(rest, call, [*whole[:number], twice, *whole[number + 1 :]])
                pages(rest, call, twice)


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=[f"{n}: {f['name']}" for n, f in FRAMES])
def test_a_frame_with_anything_anywhere_does_no_harm(name, frame):
    adapter, value = adapter_of(name), frame.get("frame")
    for path in testing.places(value):
        for raw in testing.HOSTILE.values():
            takes(name, testing.spoilt(value, path, raw), adapter)
