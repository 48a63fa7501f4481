"""Avro of flat records as Python made for each schema: what fastavro writes, several times faster.

fastavro walks a schema for every record. Where that is only text, numbers, enums and doubles that
may be missing, the walk is the same each time, so it is written down once as source and compiled,
as `dataclasses` does it. Whatever a made reader does not expect it leaves to fastavro, which knows
all of Avro and says what is wrong.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from foreshock_schemas.events import Event

MISREAD: Final = (LookupError, ValueError, struct.error)
"""What a made reader raises where fastavro has to look."""

_PLAIN: Final = {"string", "long", "int", "double"}
_MAYBE: Final = ["null", "double"]
_TIME_BYTES: Final = 6
"""Of a time in ms between 2004 and 2039."""

Field = dict[str, Any]


def is_flat(schema: Field) -> bool:
    """Return whether readers and writers of this schema can be made."""
    return all(_kind(field) is not None for field in schema["fields"])


def writer(schema: Field, head: bytes) -> Callable[[Event], bytes]:
    """Return what makes an event of this flat schema bytes, after `head`."""
    names: dict[str, Any] = {"head": head, "text": _text, "name": _name, "long": _long}
    parts = ["head", *_writes(schema["fields"], names)]
    lines = ["def made(e):", f"    return b''.join(({', '.join(parts)}))"]
    made: Callable[[Event], bytes] = _made(lines, names)
    return made


def reader(schema: Field, event: type[Event], start: int) -> Callable[[bytes], Event]:
    """Return what makes bytes of this flat schema an event, from `start` on.

    It raises one of `MISREAD` where it cannot.
    """
    names: dict[str, Any] = {"event": event, "time": _time, "name": _name_of, "long_at": _long_at}
    names |= {"one": struct.Struct("<d").unpack_from}
    fields = ", ".join(f"{f['name']}={f['name']}" for f in schema["fields"])
    lines = [
        "def made(v):",
        f"    at = {start}",
        *(f"    {line}" for line in _reads(schema["fields"], names)),
        "    if at != len(v):",
        "        raise ValueError",
        f"    return event({fields})",
    ]
    made: Callable[[bytes], Event] = _made(lines, names)
    return made


def _made(lines: Sequence[str], names: dict[str, Any]) -> Any:
    exec("\n".join(lines), names)  # noqa: S102  from schemas that are ours
    return names["made"]


def _kind(field: Field) -> str | None:
    kind = field["type"]
    if isinstance(kind, dict) and kind["type"] == "enum":
        return "enum"
    if kind == _MAYBE:
        return "maybe"
    return kind if isinstance(kind, str) and kind in _PLAIN else None


def _writes(fields: Sequence[Field], names: dict[str, Any]) -> Iterator[str]:
    for kind, group in groupby(fields, _kind):
        run = [field["name"] for field in group]
        if kind == "double":
            names[f"pack{len(run)}"] = struct.Struct(f"<{len(run)}d").pack
            yield f"pack{len(run)}({', '.join(f'e.{name}' for name in run)})"
            continue
        for name in run:
            if kind == "string":
                yield f"text(e.{name})" if name == "event_id" else f"name(e.{name})"
            elif kind == "enum":
                names[f"of_{name}"] = {s: _long(n) for n, s in enumerate(_symbols(fields, name))}
                yield f"of_{name}[e.{name}]"
            elif kind == "maybe":
                names["pack_maybe"] = struct.Struct("<bd").pack
                yield f"(b'\\0' if e.{name} is None else pack_maybe(2, e.{name}))"
            else:
                yield f"long(e.{name})"


def _reads(fields: Sequence[Field], names: dict[str, Any]) -> Iterator[str]:
    for kind, group in groupby(fields, _kind):
        run = [field["name"] for field in group]
        if kind == "double":
            names[f"unpack{len(run)}"] = struct.Struct(f"<{len(run)}d").unpack_from
            yield f"{', '.join(run)}, = unpack{len(run)}(v, at)"
            yield f"at += {8 * len(run)}"
            continue
        for name in run:
            if kind == "enum":
                symbols = enumerate(_symbols(fields, name))
                names[f"of_{name}"] = {2 * number: symbol for number, symbol in symbols}
            yield from _READS[str(kind)](name)


def _read_text(name: str) -> Iterator[str]:
    yield "size = v[at]"
    yield "if size & 129:"  # 64 bytes or more, or less than none
    yield "    raise ValueError"
    yield "end = at + 1 + (size >> 1)"
    yield f"{name} = {'v[at + 1:end].decode()' if name == 'event_id' else 'name(v[at + 1:end])'}"
    yield "at = end"


def _read_long(name: str) -> Iterator[str]:
    if name.endswith("_ms"):
        yield f"{name} = time(v[at:at + {_TIME_BYTES}])"
        yield f"at += {_TIME_BYTES}"
    else:
        yield f"{name}, at = long_at(v, at)"


def _read_enum(name: str) -> Iterator[str]:
    yield f"{name} = of_{name}[v[at]]"
    yield "at += 1"


def _read_maybe(name: str) -> Iterator[str]:
    yield "if v[at] == 2:"
    yield f"    {name}, = one(v, at + 1)"
    yield "    at += 9"
    yield "elif v[at] == 0:"
    yield f"    {name} = None"
    yield "    at += 1"
    yield "else:"
    yield "    raise ValueError"


_READS: Final[dict[str, Callable[[str], Iterator[str]]]] = {
    "string": _read_text,
    "long": _read_long,
    "int": _read_long,
    "enum": _read_enum,
    "maybe": _read_maybe,
}


def _symbols(fields: Sequence[Field], name: str) -> list[str]:
    (symbols,) = [field["type"]["symbols"] for field in fields if field["name"] == name]
    return list(symbols)


@lru_cache(maxsize=8_192)
def _long(number: int) -> bytes:
    if not -(2**63) <= number < 2**63:
        raise OverflowError(f"{number} is no long")
    rest = (number << 1) ^ (number >> 63)
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _long(len(raw)) + raw


_name: Final = lru_cache(maxsize=8_192)(_text)
"""For text that comes again and again, such as coins."""

_name_of: Final = lru_cache(maxsize=8_192)(bytes.decode)
"""The same the other way: the same text again, so that its hash is known too."""


def _long_at(value: bytes, at: int) -> tuple[int, int]:
    rest = shift = 0
    while True:
        byte = value[at]
        at += 1
        rest |= (byte & 127) << shift
        if rest >> 64:
            raise ValueError
        if byte < 128:
            return (rest >> 1) ^ -(rest & 1), at
        shift += 7


@lru_cache(maxsize=8_192)
def _time(written: bytes) -> int:
    a, b, c, d, e, f = written
    if f > 127 or not a & b & c & d & e & 128:
        raise ValueError
    rest = a & 127 | (b & 127) << 7 | (c & 127) << 14 | (d & 127) << 21 | (e & 127) << 28 | f << 35
    return (rest >> 1) ^ -(rest & 1)
