"""A venue as a server: sockets, REST, a ledger of what was sent, and faults to order."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp
import msgspec
from aiohttp import web

from foreshock_simulator.routing import Handler, behind
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.http import json_response
from foreshock_simulator.venue.listener import Life, Listener, Overrun
from foreshock_simulator.venue.orders import AnyOrder, CannotOrder

_CLOSING_S: Final = 1.0
_POLL_S: Final = 0.05
_OURS: Final = "/_sim/"
_decode_order: Final = msgspec.json.Decoder(AnyOrder).decode


class Server:
    """Serves one venue. `time_scale` shortens all that connections wait for, for tests."""

    def __init__(self, venue: Venue, time_scale: float = 1.0) -> None:
        self._venue = venue
        self._scale = time_scale
        self._open: dict[Listener, web.WebSocketResponse] = {}

    def app(self) -> web.Application:
        """Return the application of all paths."""
        app = web.Application()
        sockets = [web.get(path, self._socket) for path in self._venue.sockets]
        app.add_routes(behind(self._refusing, [*sockets, *self._venue.routes()]))
        app.router.add_get(f"{_OURS}ledger", self._ledger)
        app.router.add_post(f"{_OURS}fault", self._fault)
        return app

    async def close(self) -> None:
        """Close every connection."""
        async with asyncio.TaskGroup() as group:
            for listener, socket in self._open.items():
                if not listener.half_open:
                    group.create_task(socket.close())

    async def _refusing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._venue.down:
            raise web.HTTPServiceUnavailable
        now_ms = self._venue.now_ms
        if refused := self._venue.faults.refusal(request.path, now_ms):
            for_s = max(1.0, (refused.until_ms - now_ms) / 1000)
            return self._venue.refuse(refused.status, for_s)
        return await handler(request)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        listener = self._venue.listener(request)
        socket = web.WebSocketResponse(
            timeout=_CLOSING_S, autoclose=False, autoping=False, compress=False
        )
        await socket.prepare(request)
        self._open[listener] = socket
        self._venue.listeners.add(listener)
        try:
            await self._talk(socket, listener)
        except TimeoutError:
            pass
        finally:
            self._venue.listeners.discard(listener)
            del self._open[listener]
        if listener.half_open:
            await _forsaken(request)
        else:
            await socket.close()
        return socket

    async def _talk(self, socket: web.WebSocketResponse, listener: Listener) -> None:
        venue = self._venue
        async with asyncio.timeout(None) as cut, asyncio.TaskGroup() as group:
            listener.life = Life(cut, venue.idle_s, venue.life_s, self._scale)
            tasks = [group.create_task(_send(socket, listener))]
            if venue.ping_every_s is not None:
                every_s = venue.ping_every_s * self._scale
                tasks.append(group.create_task(_ping(socket, listener, every_s)))
            await _receive(socket, listener)
            for task in tasks:
                task.cancel()

    async def _ledger(self, request: web.Request) -> web.Response:
        return json_response(self._venue.ledger.told(trades="trades" in request.query))

    async def _fault(self, request: web.Request) -> web.Response:
        try:
            _decode_order(await request.read()).carry_out(self._venue)
        except (msgspec.DecodeError, CannotOrder) as e:
            raise web.HTTPBadRequest(text=str(e)) from e
        return web.Response(text="done")


async def _receive(socket: web.WebSocketResponse, listener: Listener) -> None:
    async for message in socket:
        if listener.half_open:
            continue
        if message.type is aiohttp.WSMsgType.PING:
            with suppress(ConnectionResetError):
                await socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.PONG:
            listener.ponged()
        elif message.type is aiohttp.WSMsgType.TEXT:
            try:
                listener.hear(message.data, time.monotonic())
            except Overrun:
                await socket.close(code=1008, message=b"Too many requests")
                return


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    with suppress(ConnectionResetError):
        while True:
            frame = await listener.frames.get()
            if not listener.half_open:
                await socket.send_frame(frame, aiohttp.WSMsgType.TEXT)


async def _ping(socket: web.WebSocketResponse, listener: Listener, every_s: float) -> None:
    with suppress(ConnectionResetError):
        while True:
            await asyncio.sleep(every_s)
            if not listener.half_open:
                await socket.ping()


async def _forsaken(request: web.Request) -> None:
    """Wait until the client has torn down the connection by itself: it gets no answer."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(_POLL_S)


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
