"""Fixtures of exchanges for tests: what adapters are told, shown and asked, and worse than that.

A fixture has the `instruments` that the venue's sizes need, `frames` (each with the `events`, the
reason why it is `ignored`, the name of the `other_stream`, the `answer` that the venue wants, or
`malformed`), `rest` (each a request, and what its body says), `feeds` and the `limits` that a
venue sets them. Expected fields may be some of the event's. Where `packed` is "gzip", frames are
packed before the adapter gets them.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from foreshock_exchanges import load
from foreshock_exchanges.base import Adapter
from foreshock_exchanges.rest import Rest
from foreshock_schemas.events import Instrument
from foreshock_schemas.testing import sample

Fixture = dict[str, Any]
Steps = tuple[str | int, ...]

_MARKED: Final = "\u241f"
_DEEP: Final = 2_000

HOSTILE: Final = {
    "nothing": b"null",
    "yes": b"true",
    "an empty text": b'""',
    "a word": b'"ZZZ"',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "0": b"0",
    "a number below 0": b"-1",
    "a text below 0": b'"-1"',
    "2**70": b"1180591620717411303424",
    "next to 0": b'"1e-320"',
    "10**400": b"1" + b"0" * 400,
    "1e400": b"1e400",
    "10**400 as a text": b'"1' + b"0" * 400 + b'"',
    "deep lists": b"[" * _DEEP + b"]" * _DEEP,
    "deep objects": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
}
"""What may stand in a body or a frame in place of a value, by what it is."""


def fixtures(folder: Path) -> dict[str, Fixture]:
    """Return the fixtures in a folder by the exchange's name."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def adapter_of(name: str, fixture: Fixture) -> Adapter:
    """Return the adapter, told the contracts that its fixture has."""
    adapter = load(name)
    usual = {"status": "trading", "multiplier": 1.0}
    adapter.learn(
        [
            sample(Instrument, exchange=name, **usual | told)
            for told in fixture.get("instruments", ())
        ]
    )
    return adapter


def sent(fixture: Fixture, row: Mapping[str, Any]) -> bytes:
    """Return a fixture's frame as the venue sends it; `hex` is so already."""
    return frame_of(row) if "hex" in row else packed(fixture, frame_of(row))


def packed(fixture: Fixture, raw: bytes) -> bytes:
    """Return a frame packed as the venue packs its frames."""
    return gzip.compress(raw, 1, mtime=0) if fixture.get("packed") == "gzip" else raw


def frame_of(row: Mapping[str, Any]) -> bytes:
    """Return the words of a fixture's frame."""
    if "hex" in row:
        return bytes.fromhex(row["hex"])
    if "raw" in row:
        return str(row["raw"]).encode() * int(row.get("times", 1))
    return encoded(row["frame"])


def bodies_of(call: Mapping[str, Any]) -> list[bytes]:
    """Return the bodies that a fixture's call is answered with."""
    return [encoded(body) for body in (call["bodies"] if "bodies" in call else [call["body"]])]


def read(rest: Rest, call: Mapping[str, Any], bodies: Sequence[bytes]) -> Any:
    """Return what the call's reader makes of these bodies."""
    told = bodies if call["read"] == "read_premiums" else bodies[0]
    return getattr(rest, call["read"])(told, *call["read_args"])


def encoded(value: object) -> bytes:
    """Return a value as JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def places(value: object, path: Steps = ()) -> Iterator[Steps]:
    """Yield the steps to each place in a JSON value, beginning with itself."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def put(value: Any, path: Steps, change: Any) -> Any:
    """Return a JSON value that has something else at one place."""
    if not path:
        return change
    step, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = put(copy[step], tuple(rest), change)
    return copy


def spoilt(value: object, path: Steps, raw: bytes) -> bytes:
    """Return a value as JSON in which one place has these bytes, whatever they are."""
    return encoded(put(value, path, _MARKED)).replace(encoded(_MARKED), raw)


def repeated(value: Any, path: Steps) -> bytes | None:
    """Return a value as JSON in which the object at one place, if it is one, has its keys twice."""
    found = value
    for step in path:
        found = found[step]
    if not (found and isinstance(found, dict)):
        return None
    inside = encoded(found)[1:-1]
    return spoilt(value, path, b"{" + inside + b"," + inside + b"}")
