"""The system under test: the services' own decisions, event by event in the order of receipt."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from evaluation.lines import Detector

from alert_router.domain.routing import Router
from alert_router.settings import Settings as RouterSettings
from foreshock_schemas.events import Alert, Event, Evidence, Signal, SignalKind, Subscription
from foreshock_schemas.topics import TOPICS
from threshold_service.domain.detection import Partitions
from threshold_service.domain.world import World
from threshold_service.service import told_by
from threshold_service.settings import Settings

DETECTOR_OF: Final[dict[SignalKind, Detector]] = {
    "liquidation": "liquidation",
    "cascade": "cascade",
    "volume_spike": "volume",
    "oi_explosion": "open-interest",
    "market_wide": "market-wide",
}

_TOPIC_OF: Final = {topic.event: topic.name for topic in TOPICS}
_CHAT: Final = 1


class Machine:
    """threshold-service's detection of one partition, and alert-router behind it with one chat."""

    def __init__(self) -> None:
        self._world = World(told_by(Settings(), 0))
        self._detection = Partitions(self._world)
        self._router = Router(RouterSettings().alert_cooldown_s * 1000, per_day=1_000_000)
        self._router.on_subscription(_wants_all())
        self._offsets: Counter[type[Event]] = Counter()
        self._told: set[str] = set()

    def on_event(self, event: Event) -> Iterator[Signal | Alert]:
        """Yield what an event leads to: the coin's signals, and market-wide alerts of the router.

        Each incident once; a cascade when it is CONFIRMED, the market's when it opens.
        """
        self._world.on_event(event)
        for output in self._detection.on_event(event, self._evidence(event)):
            if not isinstance(output, Signal):
                continue
            if self._is_news(output):
                yield output
            yield from self._market_wide(output)

    def _market_wide(self, signal: Signal) -> Iterator[Alert]:
        for alert in self._router.on_signal(signal).alerts:
            if alert.kind == "market_wide" and alert.revision == 1:
                yield alert

    def _is_news(self, signal: Signal) -> bool:
        if signal.kind not in DETECTOR_OF or signal.incident_state not in {None, "CONFIRMED"}:
            return False
        incident = signal.incident_id or signal.event_id
        if incident in self._told:
            return False
        self._told.add(incident)
        return True

    def _evidence(self, event: Event) -> Evidence:
        kind = type(event)
        offset = self._offsets[kind]
        self._offsets[kind] = offset + 1
        return Evidence(topic=_TOPIC_OF[kind], partition=0, offset=offset, event_id=event.event_id)


def _wants_all() -> Subscription:
    return Subscription(
        event_id="",
        ts_event_ms=0,
        ts_recv_ms=0,
        chat_id=_CHAT,
        active=True,
        changed_by="user",
        announced=True,
    )
