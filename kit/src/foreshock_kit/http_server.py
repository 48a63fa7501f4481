"""A GET-only HTTP server for health, metrics and the registry, on the websockets library.

websockets answers plain HTTP requests in `process_request`, which spares the services a web
framework: https://websockets.readthedocs.io/en/stable/howto/health.html
"""

import errno
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from websockets import http11
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websockets_serve
from websockets.datastructures import Headers

from foreshock_kit.errors import PortInUse

_LISTEN_STATE: Final = "0A"
_REASONS: Final = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Response(msgspec.Struct, frozen=True):
    """An answer: status, content type, body."""

    status: int
    content_type: str
    body: bytes


Answer = Callable[[str, Mapping[str, str]], Response]
"""Answers one GET, given the path and the query."""


class Server(msgspec.Struct, frozen=True):
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"


def not_found(path: str, _query: Mapping[str, str]) -> Response:
    """Answer 404, and say to what."""
    body = msgspec.json.encode({"error": f"nothing at {path}"})
    return Response(404, "application/json", body)


@asynccontextmanager
async def serve(
    host: str, port: int, routes: Mapping[str, Answer], fallback: Answer = not_found
) -> AsyncIterator[Server]:
    """Serve GETs on `host` and `port` (0: any free) while the context lasts.

    `routes` are whole paths; all others go to `fallback`.

    Raises:
        PortInUse: Somebody else listens there; it says who, where that can be seen.
    """

    async def process(_connection: ServerConnection, request: http11.Request) -> http11.Response:
        url = urlsplit(request.path)
        answer = routes.get(url.path, fallback)(url.path, dict(parse_qsl(url.query)))
        return _as_http(answer)

    try:
        server = await websockets_serve(_no_socket, host, port, process_request=process)
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            raise PortInUse(port, holder_of(port)) from e
        raise
    async with server:
        yield Server(host, next(iter(server.sockets)).getsockname()[1])


def holder_of(port: int) -> str | None:
    """Return which process listens on a local port, as `name (pid N)`, if it can be seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            if str(link.readlink()) in inodes:
                pid = link.parts[2]
                return f"{Path('/proc', pid, 'comm').read_text().strip()} (pid {pid})"
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for row in table.read_text().splitlines()[1:] if table.exists() else ():
            columns = row.split()
            if columns[3] == _LISTEN_STATE and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes


def _as_http(answer: Response) -> http11.Response:
    headers = Headers()
    headers["Content-Type"] = answer.content_type
    headers["Content-Length"] = str(len(answer.body))
    headers["Connection"] = "close"
    reason = _REASONS.get(answer.status, "Unknown")
    return http11.Response(answer.status, reason, headers, answer.body)


async def _no_socket(connection: ServerConnection) -> None:
    await connection.close()
