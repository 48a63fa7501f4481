"""Subscriptions and the messages of Binance's protocol."""

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.listener import Listener, Overrun

MAX_STREAMS: Final = 1024
_MESSAGES_A_SECOND: Final = 10
_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_PUBLIC: Final = ("bookTicker", "depth", "trade", "rpiDepth")


def route_of(stream: str) -> str:
    """Return which routed path carries a stream: `public` or `market`."""
    kind = stream.partition("@")[2] or stream.removeprefix("!")
    return "public" if kind.startswith(_PUBLIC) else "market"


class BinanceListener(Listener):
    """One connection to Binance.

    `route` is `market`, `public`, or empty for the legacy paths, which acknowledge everything
    and carry only what is public.
    """

    renews_on_pong: ClassVar[bool] = True

    def __init__(self, venue: Venue, route: str, *, combined: bool) -> None:
        super().__init__()
        self._venue = venue
        self._route = route
        self._combined = combined
        self._heard_at: deque[float] = deque(maxlen=_MESSAGES_A_SECOND)

    def hears(self, stream: str) -> bool:
        """Return whether it is subscribed, and on the path that carries the stream."""
        return stream in self.streams and (self._route or "public") == route_of(stream)

    def wrapped(self, stream: str, payload: Any) -> Any:
        """Return it with the stream's name around, if the connection is a combined one."""
        return {"stream": stream, "data": payload} if self._combined else payload

    def subscribe(self, streams: Sequence[str]) -> None:
        """Take note of streams; one that does not exist, or is refused, stays silent."""
        for stream in streams:
            if not self._venue.faults.refuses_topic(stream):
                self.streams[stream] = None
                if self.hears(stream):
                    self._venue.subscribed(self, stream)

    def hear(self, text: str, now_s: float) -> None:
        """Answer one message; the eleventh within a second is one too many."""
        if len(self._heard_at) == _MESSAGES_A_SECOND and now_s - self._heard_at[0] < 1.0:
            raise Overrun
        self._heard_at.append(now_s)
        self.say(msgspec.json.encode(self._answer(text)))

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
        streams = list(map(str, params))
        if method == "SUBSCRIBE":
            self.subscribe(streams)
        else:
            for stream in streams:
                self.streams.pop(stream, None)
        return {"result": None, "id": number}

    def _property(self, method: str, params: list[Any], number: int) -> dict[str, Any]:
        if params[:1] != ["combined"]:
            return {"code": 0, "msg": "Unknown property"}
        if method == "GET_PROPERTY":
            return {"result": self._combined, "id": number}
        if len(params) < 2 or not isinstance(params[1], bool):
            return {"code": 1, "msg": "Invalid value type: expected Boolean"}
        self._combined = params[1]
        return {"result": None, "id": number}


def _invalid(why: str) -> dict[str, Any]:
    return {"code": 2, "msg": f"Invalid request: {why}"}
