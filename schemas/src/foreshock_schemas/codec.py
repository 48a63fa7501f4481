"""Events as bytes: the Confluent wire format, a zero byte, the schema's id, an Avro body.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import fastavro
import msgspec

from foreshock_schemas import compiled
from foreshock_schemas.events import Event
from foreshock_schemas.registry import newest, registered
from foreshock_schemas.topics import TOPICS

_HEAD: Final = struct.Struct(">bI")
_UNIONS: Final = (Union, UnionType)

Row = dict[str, Any]
Make = Callable[[Any], Any]


class Undecodable(Exception):
    """Bytes that are no event of ours; the message says why."""


class Codec:
    """Encodes events with the ids given, and decodes what any of the writers has written.

    Args:
        ids: The schema id of each event type.
        writers: The schemas that records may be written with, by id.
    """

    def __init__(self, ids: Mapping[type[Event], int], writers: Mapping[int, Row]) -> None:
        self._encoders = {event: _encoder(number, writers[number]) for event, number in ids.items()}
        by_name = {writers[number]["name"]: (event, number) for event, number in ids.items()}
        self._decoders: dict[int, Callable[[BytesIO], Event]] = {}
        for number, writer in writers.items():
            event, current = by_name[writer["name"]]
            reader = None if number == current else writers[current]
            self._decoders[number] = _decoder(event, writer, reader)
        self._quick = {
            _HEAD.pack(0, number): compiled.reader(writers[number], event, _HEAD.size)
            for event, number in ids.items()
            if compiled.is_flat(writers[number])
        }

    def encode(self, event: Event) -> bytes:
        """Return the event's record value."""
        return self._encoders[type(event)](event)

    def decode(self, value: bytes) -> Event:
        """Return the event in a record's value.

        Raises:
            Undecodable: It is none, or was written with a schema that nobody here knows.
        """
        quick = self._quick.get(value[: _HEAD.size])
        if quick is not None:
            try:
                return quick(value)
            except compiled.MISREAD:
                pass  # fastavro says what it is
        return self._decode_any(value)

    def _decode_any(self, value: bytes) -> Event:
        if len(value) < _HEAD.size:
            raise Undecodable(f"only {len(value)} bytes")
        magic, number = _HEAD.unpack_from(value)
        if magic != 0:
            raise Undecodable(f"first byte is {magic}, not 0: not the Confluent format")
        decode = self._decoders.get(number)
        if decode is None:
            raise Undecodable(f"schema id {number} is unknown")
        body = BytesIO(value)
        body.seek(_HEAD.size)
        try:
            event = decode(body)
        except (ValueError, TypeError, LookupError, EOFError, OverflowError, MemoryError) as e:
            raise Undecodable(f"broken body of schema {number}: {type(e).__name__}: {e}") from e
        if body.tell() != len(value):
            raise Undecodable(f"{len(value) - body.tell()} bytes left after the event")
        return event


def _encoder(number: int, schema: Row) -> Callable[[Event], bytes]:
    head = _HEAD.pack(0, number)
    if compiled.is_flat(schema):
        return compiled.writer(schema, head)
    parsed = fastavro.parse_schema(schema)
    write = fastavro.schemaless_writer

    def encode(event: Event) -> bytes:
        body = BytesIO()
        body.write(head)
        write(body, parsed, msgspec.to_builtins(event, builtin_types=(bytes,)))
        return body.getvalue()

    return encode


def _decoder(event: type[Event], writer: Row, reader: Row | None) -> Callable[[BytesIO], Event]:
    written = fastavro.parse_schema(writer)
    wanted = fastavro.parse_schema(reader) if reader else None
    read = fastavro.schemaless_reader
    make = _struct_maker(event)

    def decode(body: BytesIO) -> Event:
        made: Event = make(read(body, written, wanted))
        return made

    return decode


def _struct_maker(struct_type: type) -> Make:
    """Return what makes a struct of a row; unlike `msgspec.convert` it takes any word as it is."""
    hints = get_type_hints(struct_type).items()
    mend = [(name, make) for name, hint in hints if (make := _maker(hint)) is not None]

    def make_struct(row: Row) -> Any:
        for name, make in mend:
            if name in row:
                row[name] = make(row[name])
        return struct_type(**row)

    return make_struct


def _maker(hint: Any) -> Make | None:
    """Return what makes such a value of what Avro gives, None where that is the value itself."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct_maker(hint)
    if get_origin(hint) is tuple:
        make = _maker(get_args(hint)[0])
        return tuple if make is None else _tuple_maker(make)
    for part in get_args(hint) if get_origin(hint) in _UNIONS else ():
        if (make := _maker(part)) is not None:
            return lambda value: None if value is None else make(value)
    return None


def _tuple_maker(make: Make) -> Make:
    return lambda rows: tuple(map(make, rows))


def from_registry_file() -> Codec:
    """Return the codec of the registry file beside the schemas."""
    current = newest()
    ids = {topic.event: current[f"{topic.name}-value"].id for topic in TOPICS}
    return Codec(ids, {row.id: row.schema for row in registered()})


FROM_FILE: Final = from_registry_file()
"""The codec in force where no registry is told."""

encode: Final = FROM_FILE.encode
decode: Final = FROM_FILE.decode
