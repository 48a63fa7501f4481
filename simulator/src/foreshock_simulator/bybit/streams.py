"""Subscriptions and the messages of Bybit's protocol.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import hashlib
from typing import Any, Final

import msgspec

from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.listener import Listener

MOST_CHARACTERS: Final = 21_000
TOPICS: Final = ("publicTrade", "allLiquidation", "tickers")


class BybitListener(Listener):
    """One connection to Bybit. Only the client's own ping keeps it open."""

    def __init__(self, venue: Venue) -> None:
        super().__init__()
        self._venue = venue
        self._id = hashlib.sha256(str(id(self)).encode()).hexdigest()[:20]
        self._characters = 0

    def hear(self, text: str, _now_s: float) -> None:
        """Answer one message; what a subscription pushes at once comes before its answer."""
        self.say(msgspec.json.encode(self._answer(text)))

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError:
            message = None
        if not isinstance(message, dict):
            return self._told("", "", refused="Invalid JSON")
        op, number = str(message.get("op", "")), str(message.get("req_id", ""))
        if op == "ping":
            self.renew()
            return self._told(op, number, why="pong")
        if op not in {"subscribe", "unsubscribe"}:
            return self._told(op, number, refused=f"Invalid op: {op}")
        topics = message.get("args")
        if not isinstance(topics, list) or not topics:
            return self._told(op, number, refused="Params Error")
        refused = self._do(op, [str(each) for each in topics])
        return self._told(op, number, refused=refused)

    def _do(self, op: str, topics: list[str]) -> str:
        if op == "unsubscribe":
            for topic in topics:
                self.streams.pop(topic, None)
            return ""
        if wrong := [topic for topic in topics if not self._exists(topic)]:
            return f"Invalid topic: {', '.join(wrong)}"
        self._characters += sum(map(len, topics))
        if self._characters > MOST_CHARACTERS:
            return f"args length is over {MOST_CHARACTERS} characters"
        for topic in topics:
            self._venue.subscribed(self, topic)
            self.streams[topic] = None
        return ""

    def _exists(self, topic: str) -> bool:
        kind, _, symbol = topic.partition(".")
        listing = self._venue.listings.get(symbol)
        traded = listing is not None and listing.status == "trading"
        return kind in TOPICS and traded and not self._venue.faults.refuses_topic(topic)

    def _told(self, op: str, number: str, *, why: str = "", refused: str = "") -> dict[str, Any]:
        return {
            "success": not refused,
            "ret_msg": refused or why,
            "conn_id": self._id,
            "req_id": number,
            "op": op,
        }
