"""The fake's HTTP server: loopback only, closed to other sites' pages, gone quickly when told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from foreshock_simulator.routing import Handler, behind
from foreshock_simulator.telegram.bot_api import UPLOAD_LIMIT_BYTES, BotApi
from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.page_api import PageApi

_HOST: Final = "127.0.0.1"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_JSON_ONLY: Final = frozenset({"/say", "/press", "/_fake/fault"})
_SHUTDOWN_S: Final = 0.3
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@asynccontextmanager
async def serve(fake: Fake, port: int = 0) -> AsyncIterator[str]:
    """Listen on loopback while the block runs, and give the base URL; port 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    runner = web.AppRunner(
        _application(fake),
        access_log=None,  # its lines would hold the token
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        fake.stop()
        await runner.cleanup()


def _application(fake: Fake) -> web.Application:
    application = web.Application(client_max_size=UPLOAD_LIMIT_BYTES)
    application.add_routes(behind(_guard, [*BotApi(fake).routes(), *PageApi(fake).routes()]))
    application.on_response_prepare.append(_add_headers)
    return application


async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    if _hostname(f"//{request.host}") not in _LOOPBACK:
        raise web.HTTPForbidden(text="only loopback host names are served")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="other origins are not served")
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"} and (
        request.method != "GET" or request.path.startswith("/bot")
    ):
        raise web.HTTPForbidden(text="other sites are not served")
    is_json = request.content_type == "application/json"
    if request.path in _JSON_ONLY and request.method == "POST" and not is_json:
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    return await handler(request)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
