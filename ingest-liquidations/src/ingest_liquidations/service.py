"""Wiring: frames to liquidations of the coins followed, onto Kafka."""

from foreshock_exchanges import load
from foreshock_exchanges.base import Adapter, Channel
from foreshock_exchanges.desk import ExchangeDesk
from foreshock_exchanges.intake import Heard
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.feeds import run_desks
from foreshock_kit.kafka import Publishing
from foreshock_kit.service import Context, Service
from foreshock_kit.universe import Universe
from foreshock_schemas.events import FeedState, Liquidation
from foreshock_schemas.topics import LIQUIDATIONS
from ingest_liquidations import metrics
from ingest_liquidations.settings import Settings

log = logs.get_logger(__name__)


async def run(settings: Settings, context: Context) -> None:
    """Follow the liquidations of every exchange configured until told to stop, then flush."""

    def desk_of(name: str, universe: Universe, publisher: Publishing) -> LiquidationDesk | None:
        adapter = load(name)
        if Channel.LIQUIDATIONS not in adapter.coverage:
            return None
        url = settings.ws_url(name, adapter.ws_url)
        return LiquidationDesk(adapter, url, universe, publisher, context.clock)

    await run_desks(settings, context, desk_of, linger_s=0.0)


class LiquidationDesk(ExchangeDesk):
    """Where one exchange's liquidation frames are taken in."""

    channel = Channel.LIQUIDATIONS

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        universe: Universe,
        publisher: Publishing,
        clock: Clock,
    ) -> None:
        super().__init__(adapter, url, logs.Burst(log, "frame_refused", exchange=adapter.name))
        self._universe = universe
        self._publisher = publisher
        self._clock = clock
        self._delay = metrics.DELAY.labels(adapter.name)
        self._not_followed = metrics.NOT_FOLLOWED.labels(adapter.name)

    async def accompany(self, teller: FeedHealthTeller) -> None:
        """Do nothing beside."""

    def judge(self, state: FeedState, reason: str, now_ms: int) -> tuple[FeedState, str]:
        """Believe what the sockets say."""
        return state, reason

    async def on_frame(self, frame: bytes, since_ms: int) -> Heard:
        """Publish a frame's liquidations; return what it was."""
        recv_ms = self._clock.now_ms()
        for event in self.take(frame, recv_ms, since_ms):
            if not isinstance(event, Liquidation):
                continue
            if not self._universe.follows(event.exchange, event.symbol):
                self._not_followed.inc()
                continue
            self._delay.observe((recv_ms - event.ts_event_ms) / 1000)
            await self._publisher.publish(LIQUIDATIONS, event)
        return self.heard


SERVICE = Service("ingest-liquidations", Settings, run)
