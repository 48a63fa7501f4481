"""What the router held back: alerts that were written and not told."""

from collections import Counter, OrderedDict
from typing import Final

from foreshock_schemas.events import Alert, SignalKind

_DAY_MS: Final = 86_400_000
_REMEMBERED: Final = 10_000


class HeldBack:
    """The newest of them; the same one, read again, counts once."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, Alert] = OrderedDict()

    def add(self, alert: Alert) -> None:
        """Take an alert that was held back."""
        self._newest[alert.event_id] = alert
        if len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    def today(self, chat_id: int, now_ms: int) -> Counter[SignalKind]:
        """Return how many a chat missed in the last 24 h, by kind."""
        return Counter(
            alert.kind
            for alert in self._newest.values()
            if alert.chat_id == chat_id and alert.ts_event_ms > now_ms - _DAY_MS
        )
