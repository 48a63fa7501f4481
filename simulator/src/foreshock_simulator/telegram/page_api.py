"""What the chat page and tools use: the page itself, its live feed, typing and pressing."""

import asyncio
from importlib.resources import files
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from foreshock_simulator.telegram import views
from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.live import Feed, TooManyFeeds

_T = TypeVar("_T")
_HEARTBEAT_S: Final = 10.0
_ASSETS: Final = {
    "/": ("index.html", "text/html"),
    "/chat.css": ("chat.css", "text/css"),
    "/chat.js": ("chat.js", "text/javascript"),
    "/render.js": ("render.js", "text/javascript"),
}


class _Say(msgspec.Struct, frozen=True):
    chat_id: int
    text: str


class _Press(msgspec.Struct, frozen=True):
    chat_id: int
    message_id: int
    data: str


class PageApi:
    """Handlers for the page and for tools over one fake."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        folder = files("foreshock_simulator.telegram") / "page"
        self._assets = {
            path: (media, (folder / name).read_bytes()) for path, (name, media) in _ASSETS.items()
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to mount."""
        assets = [web.get(path, self.asset) for path in _ASSETS]
        return [
            *assets,
            web.get("/config", self.config),
            web.get("/inbox", self.inbox),
            web.get("/live", self.live, allow_head=False),
            web.get("/photo/{file_id}", self.photo),
            web.post("/say", self.say),
            web.post("/press", self.press),
        ]

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """Serve a file of the page."""
        media, body = self._assets[request.path]
        return web.Response(body=body, content_type=media, charset="utf-8")

    async def config(self, request: web.Request) -> web.StreamResponse:
        """Say who talks with whom."""
        return _json(views.config(self._fake.telegram, self._chat_id(request)))

    async def inbox(self, request: web.Request) -> web.StreamResponse:
        """List the bot's messages."""
        return _json(views.inbox(self._fake.telegram, self._chat_id(request)))

    async def photo(self, request: web.Request) -> web.StreamResponse:
        """Serve a picture that the bot has sent."""
        found = self._fake.telegram.photos.read(request.match_info["file_id"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[1], content_type=found[0])

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Type as the user."""
        said = await _decoded(request, _Say)
        try:
            message_id = self._fake.say(said.chat_id, said.text)
        except Refused as refused:
            return _json(refused.body(), refused.status)
        return _json({"ok": True, "message_id": message_id})

    async def press(self, request: web.Request) -> web.StreamResponse:
        """Press a button as the user."""
        pressed = await _decoded(request, _Press)
        try:
            query_id = self._fake.press(pressed.chat_id, pressed.message_id, pressed.data)
        except Refused as refused:
            return _json(refused.body(), refused.status)
        return _json({"ok": True, "query_id": query_id})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Feed a page: first the whole chat, then what happens (server-sent events)."""
        chat_id = self._chat_id(request)
        try:
            with self._fake.feeds.open(chat_id) as feed:
                return await self._feed(request, feed)
        except TooManyFeeds as e:
            raise web.HTTPServiceUnavailable from e

    async def _feed(self, request: web.Request, feed: Feed) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first = views.snapshot(self._fake.telegram, feed.chat_id)
        await response.write(_sse("snapshot", first))
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    change = await feed.changes.get()
            except TimeoutError:
                await response.write(_sse("heartbeat", None))
                continue
            if change is None:
                return response
            data = views.event(self._fake.telegram, change, feed.chat_id)
            await response.write(_sse(change.kind, data))

    def _chat_id(self, request: web.Request) -> int:
        try:
            return int(request.query.get("chat_id", self._fake.chat_id))
        except ValueError as e:
            raise web.HTTPBadRequest(text="chat_id is a number") from e


async def _decoded(request: web.Request, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.DecodeError as e:
        raise web.HTTPBadRequest(text=str(e)) from e


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


def _sse(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))
