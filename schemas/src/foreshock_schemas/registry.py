"""The registry file: which id each schema has, and the schemas themselves."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import fastavro.schema
import msgspec

_AVRO: Final = files("foreshock_schemas") / "avro"


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one subject. `fingerprint` is the SHA-256 of its parsing canonical form."""

    id: int
    subject: str
    version: int
    file: str
    fingerprint: str

    @property
    def text(self) -> str:
        """The schema, as written."""
        return (_AVRO / self.file).read_text()

    @property
    def schema(self) -> dict[str, Any]:
        """The schema, parsed as JSON."""
        parsed: dict[str, Any] = msgspec.json.decode(self.text)
        return parsed


@cache
def registered() -> tuple[Registered, ...]:
    """Return every version of every schema, by id."""
    rows = msgspec.json.decode((_AVRO / "registry.json").read_bytes(), type=list[Registered])
    return tuple(sorted(rows, key=lambda row: row.id))


def newest() -> dict[str, Registered]:
    """Return the newest version of every subject."""
    rows = sorted(registered(), key=lambda row: row.version)
    return {row.subject: row for row in rows}


def problems() -> list[str]:
    """Return the schemas whose fingerprint is not that of the registry file."""
    return [
        f"{row.file} was changed after its release: give it a new version in registry.json"
        for row in registered()
        if fingerprint_of(row.schema) != row.fingerprint
    ]


def fingerprint_of(schema: dict[str, Any]) -> str:
    """Return the SHA-256 of a schema's parsing canonical form."""
    form = fastavro.schema.to_parsing_canonical_form(schema)
    return str(fastavro.schema.fingerprint(form, "SHA-256"))
