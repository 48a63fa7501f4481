"""The Bot API over HTTP: `/bot<token>/<method>`, by GET and POST, as forms, JSON and multipart."""

import asyncio
import json
from typing import Final

import msgspec
from aiohttp import BodyPartReader, web
from aiohttp.web_request import BaseRequest

from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.faults import Fault
from foreshock_simulator.telegram.methods import perform
from foreshock_simulator.telegram.polling import UPDATES_LIMIT
from foreshock_simulator.telegram.requests import Call

UPLOAD_LIMIT_BYTES: Final = 10 * 1024 * 1024
_SILENCE_LIMIT_S: Final = 300.0


class BotApi:
    """Handlers of the Bot API over one fake."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to mount."""
        path = r"/bot{token:[^/]*}/{method:[A-Za-z]+}"
        return [
            web.get(path, self.handle, allow_head=False),
            web.post(path, self.handle),
            web.post("/_fake/fault", self.order_fault),
            web.delete("/_fake/fault", self.clear_faults),
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, with the API's own body for a refusal."""
        try:
            self._fake.check_token(request.match_info["token"])
            call = await _call(request)
            result = await self._perform(call)
        except Refused as refused:
            return _json(refused.body(), refused.status)
        except web.HTTPRequestEntityTooLarge:
            return _json(Refused(413, "Request Entity Too Large").body(), 413)
        return _json({"ok": True, "result": result}, 200)

    async def order_fault(self, request: web.Request) -> web.StreamResponse:
        """Take an order for misbehaviour."""
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as e:
            return _json({"ok": False, "description": str(e)}, 400)
        if not self._fake.faults.order(fault):
            return _json({"ok": False, "description": "too many faults in force"}, 400)
        return _json({"ok": True}, 200)

    async def clear_faults(self, _request: web.Request) -> web.StreamResponse:
        """Behave again."""
        self._fake.faults.clear()
        return _json({"ok": True}, 200)

    async def _perform(self, call: Call) -> object:
        fault = self._fake.faults.take(call.method, call.maybe_chat_id())
        if fault is not None and fault.kind != "timeout_after_accept":
            raise _refusal(fault)
        if call.method == "getupdates":
            result: object = await self._get_updates(call)
        else:
            result = perform(self._fake.telegram, call, self._fake.now_ms())
        if fault is not None:
            await self._stay_silent()
        return result

    async def _get_updates(self, call: Call) -> list[dict[str, object]]:
        allowed = call.decoded("allowed_updates", tuple[str, ...], "allowed updates")
        if allowed is not None:
            self._fake.telegram.updates.allow(allowed)
        return await self._fake.polling.poll(
            call.integer("offset"), call.integer("limit", UPDATES_LIMIT), call.integer("timeout")
        )

    async def _stay_silent(self) -> None:
        try:
            async with asyncio.timeout(_SILENCE_LIMIT_S):
                await self._fake.stopping.wait()
        except TimeoutError:
            return


def _refusal(fault: Fault) -> Refused:
    match fault.kind:
        case "flood":
            return Refused.flood(fault.retry_after)
        case "blocked":
            return Refused.blocked()
        case "conflict":
            return Refused.conflict()
    return Refused.server_error()


async def _call(request: web.Request) -> Call:
    params: dict[str, str] = dict(request.query)
    files: dict[str, bytes] = {}
    match request.content_type:
        case "multipart/form-data":
            try:
                await _read_multipart(request, params, files)
            except ValueError as e:
                raise Refused.bad_request("can't parse multipart body") from e
        case "application/json":
            params |= _flat(await request.read())
        case _:
            form = await request.post()
            params |= {name: value for name, value in form.items() if isinstance(value, str)}
    return Call(method=request.match_info["method"].lower(), params=params, files=files)


def _flat(body: bytes) -> dict[str, str]:
    try:
        values = msgspec.json.decode(body or b"{}", type=dict[str, object])
    except msgspec.DecodeError as e:
        raise Refused.bad_request("can't parse JSON object") from e
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }


async def _read_multipart(
    request: BaseRequest, params: dict[str, str], files: dict[str, bytes]
) -> None:
    room = UPLOAD_LIMIT_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise Refused.bad_request("can't parse multipart body")
        data = bytearray()
        while chunk := await part.read_chunk():
            room -= len(chunk)
            if room < 0:
                raise Refused(413, "Request Entity Too Large")
            data += chunk
        if part.filename is None:
            params[part.name] = data.decode("utf-8", "replace")
        else:
            files[part.name] = bytes(data)


def _json(body: object, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
