"""Wiring: frames to trades, trades to one-second bars, both to Kafka."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from foreshock_exchanges import load
from foreshock_exchanges.base import Adapter, Channel, Feed, MarkPrice
from foreshock_exchanges.desk import ExchangeDesk
from foreshock_exchanges.intake import Heard
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.feeds import run_desks
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publishing
from foreshock_kit.service import Context, Service
from foreshock_kit.universe import Universe
from foreshock_schemas.events import FeedState, Instrument, Trade
from foreshock_schemas.topics import BARS, TRADES
from ingest_trades import metrics
from ingest_trades.domain.bars import Bars
from ingest_trades.domain.gaps import Gaps
from ingest_trades.edge.backfill import SHARE, Backfill
from ingest_trades.settings import Settings

log = logs.get_logger(__name__)


async def run(settings: Settings, context: Context) -> None:
    """Follow the trades of every exchange configured until told to stop, then flush."""
    async with AsyncExitStack() as stack:
        adapters = {name: load(name) for name in settings.exchanges}
        hosts = {
            name: await stack.enter_async_context(_host(adapter, settings, context.clock))
            for name, adapter in adapters.items()
            if adapter.gapless
        }

        def desk_of(name: str, universe: Universe, publisher: Publishing) -> TradeDesk:
            url = settings.ws_url(name, adapters[name].ws_url)
            host = hosts.get(name)
            return TradeDesk(adapters[name], url, universe, publisher, context.clock, host)

        await run_desks(settings, context, desk_of)


def _host(adapter: Adapter, settings: Settings, clock: Clock) -> HttpClient:
    budget = adapter.rest.budget
    return HttpClient(
        settings.rest_url(adapter.name, adapter.rest_url),
        budget_weight=int(budget.weight * SHARE),
        budget_window_s=budget.window_s,
        used_header=budget.used_header,
        clock=clock,
    )


class TradeDesk(ExchangeDesk):
    """Where one exchange's trade frames are taken in; `host` is asked for those missing."""

    channel = Channel.TRADES

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        universe: Universe,
        publisher: Publishing,
        clock: Clock,
        host: HttpClient | None = None,
    ) -> None:
        super().__init__(adapter, url, logs.Burst(log, "frame_refused", exchange=adapter.name))
        self._bars = Bars(adapter.name)
        self._gaps = Gaps() if host is not None else None
        self._host = host
        self._universe = universe
        self._publisher = publisher
        self._clock = clock
        self._observed_ms = 0
        self._delay = metrics.DELAY.labels(adapter.name)

    def feeds(self, contracts: Sequence[Instrument]) -> list[Feed]:
        """Return the sockets that carry these contracts' trades; bars of others come to an end."""
        self._bars.follow({contract.coin for contract in contracts})
        return super().feeds(contracts)

    async def accompany(self, teller: FeedHealthTeller) -> None:
        """Ask for the trades that the venue's numbers say are missing."""
        if self._host is not None and self._gaps is not None:
            backfill = Backfill(self._adapter, self._host, self._gaps, self._on_late, self._clock)
            await backfill.run(teller)

    def judge(self, state: FeedState, reason: str, now_ms: int) -> tuple[FeedState, str]:
        """Believe what the sockets say."""
        return state, reason

    async def on_frame(self, frame: bytes, since_ms: int) -> Heard:
        """Publish a frame's trades and the bars now due; return what it was."""
        recv_ms = self._clock.now_ms()
        events = self.take(frame, recv_ms, since_ms)
        if not events:
            return self.heard
        for event in events:
            if isinstance(event, Trade):
                if self._gaps is not None:
                    self._gaps.on_trade(event)
                self._bars.on_trade(event)
                await self._publisher.publish(TRADES, event)
            elif isinstance(event, MarkPrice) and event.coin in self._universe:
                self._bars.on_mark(event)
        if recv_ms != self._observed_ms and isinstance(events[0], Trade):
            self._observed_ms = recv_ms
            self._delay.observe((recv_ms - events[0].ts_event_ms) / 1000)
        for bar in self._bars.close(recv_ms):
            await self._publisher.publish(BARS, bar)
        return self.heard

    async def _on_late(self, trades: Sequence[Trade]) -> None:
        for trade in self.only_new(trades):
            self._bars.on_trade(trade)
            await self._publisher.publish(TRADES, trade)


SERVICE = Service("ingest-trades", Settings, run)
