"""Events as bytes: the Confluent wire format, a zero byte, the schema's id, an Avro body.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final, get_args, get_origin, get_type_hints

import fastavro
import msgspec

from foreshock_schemas import compiled
from foreshock_schemas.events import Event
from foreshock_schemas.registry import newest, registered
from foreshock_schemas.topics import TOPICS

_HEAD: Final = struct.Struct(">bI")

Row = dict[str, Any]


class Undecodable(Exception):
    """Bytes that are no event of ours; the message says why."""


class Codec:
    """Encodes events with the ids given, and decodes what any of the writers has written.

    Args:
        ids: The schema id of each event type.
        writers: The schemas that records may be written with, by id.
    """

    def __init__(self, ids: Mapping[type[Event], int], writers: Mapping[int, Row]) -> None:
        self._encoders = {
            event: _encoder(event, number, writers[number]) for event, number in ids.items()
        }
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


def _encoder(event: type[Event], number: int, schema: Row) -> Callable[[Event], bytes]:
    head = _HEAD.pack(0, number)
    if compiled.is_flat(schema):
        return compiled.writer(schema, head)
    parsed = fastavro.parse_schema(schema)
    write = fastavro.schemaless_writer
    as_row = msgspec.structs.asdict
    nested = [name for name, item in _tuples(event) if _is_struct(item)]

    def encode(event: Event) -> bytes:
        row = as_row(event)
        for name in nested:
            row[name] = [as_row(item) for item in row[name]]
        body = BytesIO()
        body.write(head)
        write(body, parsed, row)
        return body.getvalue()

    return encode


def _decoder(event: type[Event], writer: Row, reader: Row | None) -> Callable[[BytesIO], Event]:
    written = fastavro.parse_schema(writer)
    wanted = fastavro.parse_schema(reader) if reader else None
    read = fastavro.schemaless_reader
    mend = [
        (name, _to_structs(item) if _is_struct(item) else tuple) for name, item in _tuples(event)
    ]

    def decode(body: BytesIO) -> Event:
        row: Any = read(body, written, wanted)
        for name, mended in mend:
            row[name] = mended(row[name])
        return event(**row)

    return decode


def _tuples(event: type[Event]) -> list[tuple[str, Any]]:
    """Return the fields that Avro gives as lists, with their items' types."""
    hints = get_type_hints(event).items()
    return [(name, get_args(hint)[0]) for name, hint in hints if get_origin(hint) is tuple]


def _to_structs(struct_type: type) -> Callable[[list[Row]], tuple[Any, ...]]:
    def make(rows: list[Row]) -> tuple[Any, ...]:
        return tuple(struct_type(**row) for row in rows)

    return make


def _is_struct(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def from_registry_file() -> Codec:
    """Return the codec of the registry file beside the schemas."""
    current = newest()
    ids = {topic.event: current[f"{topic.name}-value"].id for topic in TOPICS}
    return Codec(ids, {row.id: row.schema for row in registered()})


FROM_FILE: Final = from_registry_file()
"""The codec in force where no registry is told."""

encode: Final = FROM_FILE.encode
decode: Final = FROM_FILE.decode
