"""Wiring: frames to liquidations of the coins followed, onto Kafka; and whether to believe them."""

import asyncio
from typing import Final

from foreshock_exchanges import NAMES, load
from foreshock_exchanges.base import Adapter, Channel
from foreshock_exchanges.desk import ExchangeDesk
from foreshock_exchanges.intake import Heard
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.feeds import run_desks
from foreshock_kit.kafka import Publishing, Record, keep_following
from foreshock_kit.service import Context, Service
from foreshock_kit.universe import Universe
from foreshock_schemas.events import FeedHealth, FeedState, Liquidation
from foreshock_schemas.topics import FEED_HEALTH, LIQUIDATIONS
from ingest_liquidations import metrics
from ingest_liquidations.domain.witness import Witness
from ingest_liquidations.settings import Settings

log = logs.get_logger(__name__)

_REMEMBERS_MS: Final = 3 * 24 * 3_600_000
"""How far back the witness reads: what it learns has faded by half after three days."""


async def run(settings: Settings, context: Context) -> None:
    """Follow the liquidations of every exchange configured until told to stop, then flush."""
    adapters = {name: load(name) for name in NAMES}
    public = {name for name, each in adapters.items() if Channel.LIQUIDATIONS in each.coverage}
    witness = Witness(public)

    def desk_of(name: str, universe: Universe, publisher: Publishing) -> LiquidationDesk | None:
        if name not in public:
            return None
        url = settings.ws_url(name, adapters[name].ws_url)
        return LiquidationDesk(adapters[name], url, witness, universe, publisher, context.clock)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch(witness, settings, context))
        await run_desks(settings, context, desk_of, linger_s=0.0)
        watching.cancel()


async def _watch(witness: Witness, settings: Settings, context: Context) -> None:
    """Let the witness read back what was there, and then what comes."""

    def on_record(record: Record) -> None:
        if isinstance(record.event, Liquidation | FeedHealth):
            witness.on_event(record.event)

    since_ms = dict.fromkeys((LIQUIDATIONS, FEED_HEALTH), _REMEMBERS_MS)
    async with asyncio.TaskGroup() as group:
        await keep_following(group, settings, context, since_ms, on_record)
        witness.past_is_complete()


class LiquidationDesk(ExchangeDesk):
    """Where one exchange's liquidation frames are taken in."""

    channel = Channel.LIQUIDATIONS

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        witness: Witness,
        universe: Universe,
        publisher: Publishing,
        clock: Clock,
    ) -> None:
        super().__init__(adapter, url, logs.Burst(log, "frame_refused", exchange=adapter.name))
        self._witness = witness
        self._universe = universe
        self._publisher = publisher
        self._clock = clock
        self._delay = metrics.DELAY.labels(adapter.name)
        self._not_followed = metrics.NOT_FOLLOWED.labels(adapter.name)

    async def accompany(self, teller: FeedHealthTeller) -> None:
        """Do nothing beside."""

    def judge(self, state: FeedState, reason: str, now_ms: int) -> tuple[FeedState, str]:
        """Hear the witness."""
        why = self.why_down(reason, now_ms) if state == "DOWN" else reason
        return self._witness.judge(self.exchange, state, why, now_ms)

    async def on_frame(self, frame: bytes, since_ms: int) -> Heard:
        """Publish a frame's liquidations; return what it was."""
        recv_ms = self._clock.now_ms()
        events, heard = self.take(frame, recv_ms, since_ms), self.heard
        for event in events:
            if not isinstance(event, Liquidation):
                continue
            if not self._universe.follows(event.exchange, event.symbol):
                self._not_followed.inc()
                continue
            self._delay.observe((recv_ms - event.ts_event_ms) / 1000)
            await self._publisher.publish(LIQUIDATIONS, event)
        return heard


SERVICE = Service("ingest-liquidations", Settings, run)
