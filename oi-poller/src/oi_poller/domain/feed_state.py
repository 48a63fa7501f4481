"""How a venue's polls of open interest are, as `foreshock.feed-health.v1` tells it."""

from typing import Final

from foreshock_schemas.events import FeedHealth, FeedState
from foreshock_schemas.ids import derived_id

CHANNEL: Final = "open-interest"


class FeedVerdict:
    """The state of one venue's polls, since when and why."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._state: FeedState | None = None
        self._reason = ""
        self._since_ms = 0

    def change(self, state: FeedState, reason: str, now_ms: int) -> FeedHealth | None:
        """Take how the last poll went; return what is to be told if the state is another."""
        self._reason = reason
        if state == self._state:
            return None
        self._state, self._since_ms = state, now_ms
        return self.told(now_ms)

    def told(self, now_ms: int) -> FeedHealth | None:
        """Return the state as it is now, once there is one."""
        if self._state is None:
            return None
        return FeedHealth(
            event_id=derived_id("feed", self._exchange, CHANNEL, self._state, now_ms),
            ts_event_ms=now_ms,
            ts_recv_ms=now_ms,
            exchange=self._exchange,
            channel=CHANNEL,
            state=self._state,
            reason=self._reason,
            since_ms=self._since_ms,
        )
