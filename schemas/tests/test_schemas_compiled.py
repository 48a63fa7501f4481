"""Made readers and writers do what fastavro does, byte for byte and error for error."""

from io import BytesIO

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.codec import FROM_FILE, Undecodable
from foreshock_schemas.compiled import is_flat
from foreshock_schemas.registry import newest
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TOPICS

SCHEMAS = {topic: newest()[f"{topic.name}-value"] for topic in TOPICS}
FLAT = [topic for topic, row in SCHEMAS.items() if is_flat(row.schema)]
LONG = st.integers(-(2**63), 2**63 - 1)
KINDS = {
    "string": st.text(st.characters(codec="utf-8"), max_size=80),
    "long": LONG | st.integers(1_600_000_000_000, 1_900_000_000_000),
    "int": st.integers(-(2**31), 2**31 - 1),
    "double": st.floats(),
}


def of_type(kind):
    if isinstance(kind, list):
        return st.none() | KINDS[kind[1]]
    return st.sampled_from(kind["symbols"]) if isinstance(kind, dict) else KINDS[kind]


def events(topic):
    fields = SCHEMAS[topic].schema["fields"]
    return st.builds(topic.event, **{field["name"]: of_type(field["type"]) for field in fields})


def by_fastavro(topic, event):
    body = BytesIO()
    fastavro.schemaless_writer(body, SCHEMAS[topic].schema, msgspec.structs.asdict(event))
    return b"\0" + SCHEMAS[topic].id.to_bytes(4, "big") + body.getvalue()


def outcome(decode, value):
    try:
        return repr(decode(value))
    except Undecodable:
        return "undecodable"


def test_what_comes_by_the_thousand_is_flat():
    assert {"foreshock.trades.v1", "foreshock.bars.v1", "foreshock.liquidations.v1"} <= {
        topic.name for topic in FLAT
    }


@pytest.mark.parametrize("topic", FLAT, ids=lambda t: t.name)
def test_bytes_are_those_of_fastavro(topic):
    @given(events(topic))
    def check(event):
        assert FROM_FILE.encode(event) == by_fastavro(topic, event)

    check()


@pytest.mark.parametrize("topic", FLAT, ids=lambda t: t.name)
def test_hostile_bytes_are_read_as_fastavro_reads_them(topic):
    value = FROM_FILE.encode(sample(topic.event, ts_event_ms=1_795_000_000_000))

    @given(st.integers(5, len(value) - 1), st.binary(max_size=3), st.integers(0, 3))
    def check(at, junk, cut):
        broken = value[:at] + junk + value[at + cut :]
        assert outcome(FROM_FILE.decode, broken) == outcome(FROM_FILE._decode_any, broken)

    check()


@pytest.mark.parametrize("topic", FLAT, ids=lambda t: t.name)
def test_a_number_that_is_no_long_is_refused(topic):
    with pytest.raises(OverflowError):
        FROM_FILE.encode(sample(topic.event, ts_event_ms=2**63))
