"""Who listens to what: connections, their subscriptions, and the messages of the protocol."""

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

MAX_STREAMS: Final = 1024
_MESSAGES_A_SECOND: Final = 10
_WAITING_FRAMES: Final = 4096
_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_PUBLIC: Final = ("bookTicker", "depth", "trade", "rpiDepth")


class Overrun(Exception):
    """The client sends more than ten messages a second."""


def route_of(stream: str) -> str:
    """Return which routed path carries a stream: `public` or `market`."""
    kind = stream.partition("@")[2] or stream.removeprefix("!")
    return "public" if kind.startswith(_PUBLIC) else "market"


class Listener:
    """One connection: what it subscribed to, and the frames that wait for it.

    `route` is `market`, `public`, or empty for the legacy paths, which acknowledge everything
    and carry only what is public.
    """

    def __init__(self, route: str, *, combined: bool) -> None:
        self.route = route
        self.combined = combined
        self.streams: dict[str, None] = {}
        self.frames: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_FRAMES)
        self._sent_at: deque[float] = deque(maxlen=_MESSAGES_A_SECOND)

    def hears(self, stream: str) -> bool:
        """Return whether a frame of this stream goes to it."""
        return stream in self.streams and (self.route or "public") == route_of(stream)

    def put(self, stream: str, payload: Any) -> None:
        """Queue a frame; a connection that does not keep up loses it, as it loses Binance."""
        body = {"stream": stream, "data": payload} if self.combined else payload
        if not self.frames.full():
            self.frames.put_nowait(msgspec.json.encode(body))

    def answer(self, text: str, now_s: float) -> bytes:
        """Return the answer to one message of the client.

        Raises:
            Overrun: It was the eleventh within a second.
        """
        if len(self._sent_at) == _MESSAGES_A_SECOND and now_s - self._sent_at[0] < 1.0:
            raise Overrun
        self._sent_at.append(now_s)
        return msgspec.json.encode(self._answer(text))

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}
        if not isinstance(message, dict) or "method" not in message:
            return _invalid(f"missing field `method` at line 1 column {len(text)}")
        number, params = message.get("id"), message.get("params", [])
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            return _invalid("request ID must be an unsigned integer")
        if message["method"] not in _METHODS:
            known = ", ".join(f"`{method}`" for method in _METHODS)
            return _invalid(
                f"unknown variant {message['method']}, expected one of {known} at line 1 column 28"
            )
        if not isinstance(params, list):
            return _invalid("params must be an array")
        return self._do(message["method"], params, number)

    def _do(self, method: str, params: list[Any], number: int) -> dict[str, Any]:
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(self.streams), "id": number}
        if method.endswith("PROPERTY"):
            return self._property(method, params, number)
        if method == "SUBSCRIBE" and len(self.streams) + len(params) > MAX_STREAMS:
            return _invalid("too many parameters")
        for stream in map(str, params):
            if method == "SUBSCRIBE":
                self.streams[stream] = None
            else:
                self.streams.pop(stream, None)
        return {"result": None, "id": number}

    def _property(self, method: str, params: list[Any], number: int) -> dict[str, Any]:
        if params[:1] != ["combined"]:
            return {"code": 0, "msg": "Unknown property"}
        if method == "GET_PROPERTY":
            return {"result": self.combined, "id": number}
        if len(params) < 2 or not isinstance(params[1], bool):
            return {"code": 1, "msg": "Invalid value type: expected Boolean"}
        self.combined = params[1]
        return {"result": None, "id": number}


def _invalid(why: str) -> dict[str, Any]:
    return {"code": 2, "msg": f"Invalid request: {why}"}
