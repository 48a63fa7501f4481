"""The fake's one port: websockets on the routed and the legacy paths, REST, and its own ledger."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final, Literal

import aiohttp
import msgspec
from aiohttp import web

from foreshock_simulator.binance.rest import RestApi
from foreshock_simulator.binance.streams import Listener, Overrun
from foreshock_simulator.binance.venue import Venue

_PING_S: Final = 180.0
_LIFE_S: Final = 24 * 3600.0


class _Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["drop", "duplicate", "disconnect"]
    stream: str = ""
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


class Server:
    """Serves one venue. `time_scale` shortens the ping and the 24 h cut for tests."""

    def __init__(self, venue: Venue, time_scale: float = 1.0) -> None:
        self._venue = venue
        self._scale = time_scale
        self._sockets: set[web.WebSocketResponse] = set()

    def app(self) -> web.Application:
        """Return the application of all paths."""
        app = web.Application()
        for route in ("market", "public"):
            for mode in ("ws", "stream"):
                app.router.add_get(f"/{route}/{mode}", self._socket)
                app.router.add_get(f"/{route}/{mode}/{{streams:.+}}", self._socket)
        for mode in ("ws", "stream"):
            app.router.add_get(f"/{mode}", self._socket)
            app.router.add_get(f"/{mode}/{{streams:.+}}", self._socket)
        app.add_routes(RestApi(self._venue).routes())
        app.router.add_get("/_sim/ledger", self._ledger)
        app.router.add_post("/_sim/fault", self._fault)
        return app

    async def close(self) -> None:
        """Close every connection."""
        for socket in list(self._sockets):
            await socket.close()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        route = parts[0] if parts[0] in {"market", "public"} else ""
        listener = Listener(route, combined=(parts[1] if route else parts[0]) == "stream")
        asked = request.match_info.get("streams", "") or request.query.get("streams", "")
        listener.streams = dict.fromkeys(filter(None, asked.split("/")))
        socket = web.WebSocketResponse(heartbeat=_PING_S * self._scale, compress=False)
        await socket.prepare(request)
        self._sockets.add(socket)
        self._venue.listeners.add(listener)
        try:
            async with asyncio.timeout(_LIFE_S * self._scale), asyncio.TaskGroup() as group:
                sending = group.create_task(_send(socket, listener))
                await _receive(socket, listener)
                sending.cancel()
        except TimeoutError:
            await socket.close()
        finally:
            self._venue.listeners.discard(listener)
            self._sockets.discard(socket)
        return socket

    async def _ledger(self, _: web.Request) -> web.Response:
        body = msgspec.json.encode({"sent": dict(self._venue.sent)})
        return web.Response(body=body, content_type="application/json")

    async def _fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=_Fault)
        except msgspec.DecodeError as e:
            raise web.HTTPBadRequest(text=str(e)) from e
        if fault.kind == "disconnect":
            await self.close()
        else:
            self._venue.faults[f"{fault.kind}:{fault.stream}"] += fault.count
        return web.Response(text="done")


async def _receive(socket: web.WebSocketResponse, listener: Listener) -> None:
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        try:
            await socket.send_str(listener.answer(message.data, time.monotonic()).decode())
        except Overrun:
            await socket.close(code=1008, message=b"Too many requests")
            return


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    while not socket.closed:
        frame = await listener.frames.get()
        try:
            await socket.send_str(frame.decode())
        except ConnectionResetError:
            return


@asynccontextmanager
async def serve(venue: Venue, host: str, port: int, time_scale: float = 1.0) -> AsyncIterator[str]:
    """Serve a venue on `host` and `port` (0: any free) while the context lasts; yield its URL."""
    server = Server(venue, time_scale)
    runner = web.AppRunner(server.app(), shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await server.close()
        await runner.cleanup()
