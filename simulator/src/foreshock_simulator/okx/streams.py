"""Subscriptions and the messages of OKX's protocol.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

import hashlib
from collections import deque
from typing import Any, ClassVar, Final

import msgspec

from foreshock_simulator.okx.frames import SWAP
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.listener import Listener

OPERATIONS_AN_HOUR: Final = 480
CHANNELS: Final = ("trades", "mark-price", "open-interest", "funding-rate", "tickers")
LIQUIDATIONS: Final = "liquidation-orders"
_MOST_CHARACTERS: Final = 64 * 1024
_HOUR_S: Final = 3600.0

Arg = dict[str, str]


class OkxListener(Listener):
    """One connection to OKX. Whatever is said by either side keeps it open."""

    renews_on_push: ClassVar[bool] = True

    def __init__(self, venue: Venue) -> None:
        super().__init__()
        self._venue = venue
        self._id = hashlib.sha256(str(id(self)).encode()).hexdigest()[:8]
        self._operated_at: deque[float] = deque(maxlen=OPERATIONS_AN_HOUR)

    def hear(self, text: str, now_s: float) -> None:
        """Answer one message: a ping, or every argument of a request on its own."""
        self.renew()
        if text == "ping":
            self.say(b"pong")
            return
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError:
            message = None
        args = _args(message)
        if args is None or len(text) > _MOST_CHARACTERS:
            self._refuse({}, "60012", f"Invalid request: {text[:200]}")
            return
        echoed = {"id": str(message["id"])} if message.get("id") else {}
        if self._operates_too_often(now_s):
            self._refuse(echoed, "60014", "Requests too frequent")
            return
        for arg in args:
            self._do(message["op"], arg, echoed)

    def notice(self) -> bytes:
        """Return what it is told half a minute before it is closed."""
        why = "The connection will soon be closed for a service upgrade. Please reconnect."
        return msgspec.json.encode(
            {"event": "notice", "code": "64008", "msg": why, "connId": self._id}
        )

    def _do(self, op: str, arg: Arg, echoed: dict[str, str]) -> None:
        stream = self._stream(arg)
        if op == "subscribe" and stream is None:
            named = ",".join(f"{name}:{text}" for name, text in arg.items())
            why = f"Subscribe failed, wrong URL or {named} doesn't exist."
            self._refuse(echoed, "60018", why)
            return
        self._tell(echoed | {"event": op, "arg": arg})
        if op == "unsubscribe":
            self.streams.pop(f"{arg.get('channel')}:{_of(arg)}", None)
        elif stream is not None:
            self.streams[stream] = None
            self._venue.subscribed(self, stream)

    def _stream(self, arg: Arg) -> str | None:
        channel, of = arg.get("channel", ""), _of(arg)
        stream = f"{channel}:{of}"
        if self._venue.faults.refuses_topic(stream):
            return None
        if channel == LIQUIDATIONS:
            return stream if of == SWAP else None
        listing = self._venue.listings.get(of)
        traded = listing is not None and listing.status == "trading"
        return stream if channel in CHANNELS and traded else None

    def _operates_too_often(self, now_s: float) -> bool:
        full = len(self._operated_at) == OPERATIONS_AN_HOUR
        if full and now_s - self._operated_at[0] < _HOUR_S:
            return True
        self._operated_at.append(now_s)
        return False

    def _refuse(self, echoed: dict[str, str], code: str, why: str) -> None:
        self._tell(echoed | {"event": "error", "msg": why, "code": code})

    def _tell(self, message: dict[str, Any]) -> None:
        self.say(msgspec.json.encode(message | {"connId": self._id}))


def _args(message: Any) -> list[Arg] | None:
    """Return the arguments of a request, if it is one."""
    if not isinstance(message, dict) or message.get("op") not in {"subscribe", "unsubscribe"}:
        return None
    try:
        return msgspec.convert(message.get("args"), list[Arg]) or None
    except msgspec.ValidationError:
        return None


def _of(arg: Arg) -> str:
    return arg.get("instId") or arg.get("instType", "")
