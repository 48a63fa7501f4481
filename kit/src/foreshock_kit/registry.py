"""The read side of a Confluent schema registry, from the registry file in `foreshock_schemas`.

So that stock deserializers, Kafka UI and kcat can read our topics on a laptop.
https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import unquote

import msgspec

from foreshock_kit.http_server import Response, serve
from foreshock_schemas.registry import Registered, registered

_CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"


class _Missing(Exception):
    """What is asked for is not there; the registry's own error code says what."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@asynccontextmanager
async def serve_registry(host: str, port: int) -> AsyncIterator[str]:
    """Serve the registry on `host` and `port` (0: any free) while the context lasts.

    Yields:
        Its base URL, for `schema.registry.url`.

    Raises:
        PortInUse: somebody else listens there.
    """
    async with serve(host, port, {}, fallback=answer) as server:
        yield server.url


def answer(path: str, _query: Mapping[str, str]) -> Response:
    """Answer one GET as Confluent's registry would; 404 to what it lacks."""
    try:
        return _response(200, _find(path))
    except _Missing as missing:
        return _response(404, {"error_code": missing.code, "message": str(missing)})


def _response(status: int, content: object) -> Response:
    return Response(status, _CONTENT_TYPE, msgspec.json.encode(content))


def _find(path: str) -> object:
    match [unquote(part) for part in path.strip("/").split("/")]:
        case ["schemas", "ids", number]:
            return {"schema": _by_id(number)[0].text}
        case ["schemas", "ids", number, "versions"]:
            return [{"subject": row.subject, "version": row.version} for row in _by_id(number)]
        case ["subjects"]:
            return sorted({row.subject for row in registered()})
        case ["subjects", subject, "versions"]:
            return [row.version for row in _versions(subject)]
        case ["subjects", subject, "versions", version]:
            row = _version(subject, version)
            return {
                "subject": row.subject,
                "version": row.version,
                "id": row.id,
                "schema": row.text,
            }
    raise _Missing(40401, f"{path} is not served here")


def _by_id(number: str) -> list[Registered]:
    rows = [row for row in registered() if str(row.id) == number]
    if not rows:
        raise _Missing(40403, f"Schema {number} not found")
    return rows


def _versions(subject: str) -> list[Registered]:
    rows = [row for row in registered() if row.subject == subject]
    if not rows:
        raise _Missing(40401, f"Subject '{subject}' not found.")
    return sorted(rows, key=lambda row: row.version)


def _version(subject: str, version: str) -> Registered:
    rows = _versions(subject)
    if version in {"latest", "-1"}:
        return rows[-1]
    for row in rows:
        if str(row.version) == version:
            return row
    raise _Missing(40402, f"Version {version} not found.")
