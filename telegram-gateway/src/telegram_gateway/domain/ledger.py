"""What has become of every alert, and so what to do with one that is read again."""

from collections import OrderedDict
from enum import Enum
from typing import Final

from foreshock_schemas.events import Alert, Delivery, DeliveryState
from foreshock_schemas.ids import derived_id

UNANSWERED_LIMIT: Final = 3
"""So often an alert is sent whose fate stays unknown: one that got through is enough."""

_REMEMBERED: Final = 20_000


class Todo(Enum):
    """What is to be done with an alert."""

    SEND = "send"
    SEND_AS_REPEAT = "send as a possible repeat"
    SKIP = "skip"


class Ledger:
    """The newest delivery of every incident to every chat, as the compacted topic keeps it."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, int], Delivery] = OrderedDict()
        self._last: dict[int, Delivery] = {}

    def apply(self, delivery: Delivery) -> None:
        """Take note of a delivery, unless a newer revision's is known."""
        key = (delivery.incident_id, delivery.chat_id)
        if key in self._rows and self._rows[key].revision > delivery.revision:
            return
        self._rows[key] = delivery
        self._rows.move_to_end(key)
        if len(self._rows) > _REMEMBERED:
            self._rows.popitem(last=False)
        if delivery.state == "SENT":
            self._last[delivery.chat_id] = delivery

    def last_sent(self, chat_id: int) -> Delivery | None:
        """Return the last delivery that reached a chat."""
        return self._last.get(chat_id)

    def todo(self, alert: Alert) -> Todo:
        """Return what to do with an alert.

        What was sent, cannot be, or was overtaken by a newer revision is skipped. What was
        being sent when we ended may be there: it is sent again, marked.
        """
        row = self._rows.get((alert.incident_id, alert.chat_id))
        if row is None or row.revision < alert.revision:
            return Todo.SEND
        if row.revision > alert.revision or row.state in {"SENT", "FAILED"}:
            return Todo.SKIP
        given_up = row.state == "UNKNOWN" and row.attempt >= UNANSWERED_LIMIT
        return Todo.SKIP if given_up else Todo.SEND_AS_REPEAT

    def entry(
        self,
        alert: Alert,
        state: DeliveryState,
        now_ms: int,
        *,
        possible_repeat: bool,
        message_id: int | None = None,
        error: str | None = None,
    ) -> Delivery:
        """Return the delivery to write next for an alert.

        An attempt is over when its fate is unknown; what Telegram has not taken is none.
        """
        row = self._rows.get((alert.incident_id, alert.chat_id))
        if row is None or row.revision != alert.revision:
            attempt = 1
        else:
            attempt = row.attempt + (state == "SENDING" and row.state == "UNKNOWN")
        return Delivery(
            event_id=derived_id("delivery", alert.event_id, state, attempt),
            ts_event_ms=now_ms,
            ts_recv_ms=now_ms,
            alert_id=alert.event_id,
            incident_id=alert.incident_id,
            revision=alert.revision,
            chat_id=alert.chat_id,
            state=state,
            message_id=message_id,
            attempt=attempt,
            possible_repeat=possible_repeat,
            latency_ms=now_ms - alert.ts_recv_ms if state == "SENT" else None,
            error=error,
        )
