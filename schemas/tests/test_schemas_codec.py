"""Every event survives its own codec, a stock deserializer, and hostile bytes."""

import json
import struct
import threading
import typing
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import NoneType, UnionType

import avro.schema
import msgspec
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas import registry
from foreshock_schemas.codec import Codec, Undecodable, decode, encode
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TOPICS

EVENTS = [topic.event for topic in TOPICS]
LONG = st.integers(-(2**63), 2**63 - 1)
INT = st.integers(-(2**31), 2**31 - 1)
NARROW = {"trades", "volume_days", "revision", "attempt", "window_s", "horizon_s", "partition"}
NARROW |= {"missing", "refilled"}
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def values(hint, name):
    origin = typing.get_origin(hint)
    args = typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        inner = next(a for a in args if a is not NoneType)
        return st.none() | values(inner, name)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(values(args[0], name), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, values(args[1], name), max_size=3)
    plain = {
        str: TEXT,
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bytes: st.binary(max_size=20),
        int: INT if name in NARROW else LONG,
    }
    return plain[hint] if hint in plain else instances(hint)


def instances(struct_type):
    hints = typing.get_type_hints(struct_type)
    return st.builds(struct_type, **{name: values(hint, name) for name, hint in hints.items()})


ANY_EVENT = st.one_of(*(instances(event) for event in EVENTS))


@given(ANY_EVENT)
def test_every_event_survives_a_round_trip(event):
    assert decode(encode(event)) == event


@pytest.mark.parametrize("event", EVENTS)
def test_samples_for_tests_are_events_that_can_be_sent(event):
    made = sample(event, ts_event_ms=5)
    assert decode(encode(made)) == made
    assert made.ts_event_ms == 5


@given(ANY_EVENT)
def test_a_record_starts_as_confluent_s_do(event):
    magic, number = struct.unpack_from(">bI", encode(event))
    subject = next(row.subject for row in registry.registered() if row.id == number)
    topic = next(topic for topic in TOPICS if f"{topic.name}-value" == subject)
    assert magic == 0
    assert topic.event is type(event)


@given(st.binary(max_size=80))
def test_junk_is_undecodable_and_nothing_else(junk):
    with suppress(Undecodable):
        decode(junk)


@given(ANY_EVENT, st.data())
def test_a_damaged_record_is_an_event_or_undecodable(event, data):
    value = bytearray(encode(event))
    place = data.draw(st.integers(0, len(value) - 1))
    value[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(value)))
    for hurt in (bytes(value), bytes(value[:cut])):
        with suppress(Undecodable):
            decode(hurt)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (b"", "only 0 bytes"),
        (b"\x00\x00\x00", "only 3 bytes"),
        (b"{json}", "first byte is 123"),
        (b"\x00\x00\x01\x00\x00x", "schema id 65536 is unknown"),
        (b"\x00\x00\x00\x00\x01\xff", "broken body of schema 1"),
    ],
)
def test_the_cause_is_named(value, cause):
    with pytest.raises(Undecodable, match=cause):
        decode(value)


@given(instances(EVENTS[0]))
def test_what_is_left_over_is_not_passed_over(event):
    with pytest.raises(Undecodable, match="1 bytes left"):
        decode(encode(event) + b"x")


class FileRegistry(BaseHTTPRequestHandler):
    """As much of a registry's read side as a stock client asks for."""

    def do_GET(self):
        number = self.path.partition("?")[0].removeprefix("/schemas/ids/")
        row = next((row for row in registry.registered() if str(row.id) == number), None)
        body = json.dumps({"schema": row.text} if row else {"error_code": 40403}).encode()
        self.send_response(200 if row else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stock():
    with ThreadingHTTPServer(("127.0.0.1", 0), FileRegistry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = SchemaRegistryClient({"url": f"http://127.0.0.1:{server.server_port}"})
        deserializer = AvroDeserializer(client)

        def read(topic, value):
            return deserializer(value, SerializationContext(topic.name, MessageField.VALUE))

        yield read
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_a_stock_deserializer_reads_the_same(topic, stock):
    @given(instances(topic.event))
    def check(event):
        assert stock(topic, encode(event)) == as_row(event)

    check()


def as_row(event):
    def plain(value):
        if isinstance(value, msgspec.Struct):
            return {k: plain(v) for k, v in msgspec.structs.asdict(value).items()}
        return [plain(v) for v in value] if isinstance(value, tuple) else value

    return plain(event)


# Evolution: full and transitive, against every version ever released.

VERSIONS = {
    subject: [row for row in registry.registered() if row.subject == subject]
    for subject in registry.newest()
}


def can_read(reader: dict, writer: dict) -> bool:
    verdict = ReaderWriterCompatibilityChecker().get_compatibility(
        avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
    )
    return verdict.compatibility is SchemaCompatibilityType.compatible


@pytest.mark.parametrize("subject", VERSIONS)
def test_every_version_reads_every_other(subject):
    for one in VERSIONS[subject]:
        for other in VERSIONS[subject]:
            assert can_read(one.schema, other.schema), (
                f"v{one.version} cannot read v{other.version}"
            )


def test_released_schemas_are_as_they_were():
    assert registry.problems() == []


def trade_schema():
    return next(row for row in registry.registered() if row.file == "trades.avsc")


def test_the_check_refuses_a_field_without_default():
    schema = trade_schema().schema
    grown = schema | {"fields": [*schema["fields"], {"name": "venue_fee", "type": "double"}]}
    assert not can_read(grown, schema)
    grown["fields"][-1]["default"] = 0.0
    assert can_read(grown, schema)
    assert can_read(schema, grown)


def test_the_check_refuses_a_changed_schema():
    schema = trade_schema().schema
    assert (
        registry.fingerprint_of(schema | {"fields": schema["fields"][:-1]})
        != trade_schema().fingerprint
    )


def test_records_of_an_older_writer_are_read_with_its_schema():
    row = trade_schema()
    older = row.schema | {
        "fields": [f for f in row.schema["fields"] if f["name"] != "notional_usd"]
    }
    newer = row.schema | {
        "fields": [
            f | {"default": -1.0} if f["name"] == "notional_usd" else f
            for f in row.schema["fields"]
        ]
    }
    trade_type = next(t.event for t in TOPICS if t.name == "foreshock.trades.v1")
    codec = Codec({trade_type: 2}, {1: older, 2: newer})

    @given(instances(trade_type))
    def check(trade):
        written = bytearray(codec.encode(trade))
        old = Codec({trade_type: 1}, {1: older})
        assert codec.decode(bytes(written)) == trade
        aged = codec.decode(old.encode(trade))
        assert aged == msgspec.structs.replace(trade, notional_usd=-1.0)

    check()


# The schemas say what the Structs say.


def named(schema, found):
    if isinstance(schema, dict):
        if schema.get("type") == "record":
            found[schema["name"]] = schema
        for part in schema.values():
            named(part, found)
    elif isinstance(schema, list):
        for part in schema:
            named(part, found)
    return found


def struct_types(struct_type, found):
    found[struct_type.__name__] = struct_type
    for hint in typing.get_type_hints(struct_type).values():
        for arg in typing.get_args(hint):
            if isinstance(arg, type) and issubclass(arg, msgspec.Struct):
                struct_types(arg, found)
    return found


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_schema_and_struct_agree(topic):
    records = named(registry.newest()[f"{topic.name}-value"].schema, {})
    structs = struct_types(topic.event, {})
    assert records.keys() == structs.keys()
    for name, record in records.items():
        fields = {f["name"]: f for f in record["fields"]}
        hints = typing.get_type_hints(structs[name])
        assert list(fields) == [f.name for f in msgspec.structs.fields(structs[name])]
        for field, hint in hints.items():
            optional = NoneType in typing.get_args(hint)
            avro_type = fields[field]["type"]
            assert isinstance(avro_type, list) is optional, field
            assert not optional or fields[field]["default"] is None
            bare = avro_type[1] if optional else avro_type
            if isinstance(bare, dict) and bare.get("type") == "enum":
                inner = next((a for a in typing.get_args(hint) if typing.get_args(a)), hint)
                assert tuple(bare["symbols"]) == typing.get_args(inner)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_every_field_is_documented_with_its_unit(topic):
    for record in named(registry.newest()[f"{topic.name}-value"].schema, {}).values():
        assert record["doc"]
        for field in record["fields"]:
            assert field["doc"].endswith("."), field
            for suffix, unit in (
                ("_ms", "ms"),
                ("_usd", "USD"),
                ("_s", "seconds"),
                ("_pct", "percent"),
            ):
                if field["name"].endswith(suffix):
                    assert unit in field["doc"], field


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_every_event_has_a_key(topic):
    @given(instances(topic.event))
    def check(event):
        assert isinstance(topic.key_of(event), str)

    check()
