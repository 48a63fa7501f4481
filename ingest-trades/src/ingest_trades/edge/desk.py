"""Where one exchange's trade frames are taken in."""

from collections.abc import Sequence

from foreshock_exchanges.base import Adapter, Channel, Feed, MarkPrice
from foreshock_exchanges.desk import ExchangeDesk
from foreshock_exchanges.intake import Heard
from foreshock_exchanges.truth.hysteresis import Steady
from foreshock_exchanges.truth.trades import TradeJudge
from foreshock_exchanges.truth.verdict import LINKS
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.http import HttpClient
from foreshock_kit.kafka import Publishing
from foreshock_kit.universe import Universe
from foreshock_schemas.events import FeedState, Instrument, Trade
from foreshock_schemas.topics import BARS, TRADES
from ingest_trades import metrics
from ingest_trades.domain.bars import Bars
from ingest_trades.domain.gaps import Gaps
from ingest_trades.edge.backfill import Backfill

log = logs.get_logger(__name__)


class TradeDesk(ExchangeDesk):
    """Makes trades and bars of them; `host` is asked for trades that are missing."""

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
        self._truth = TradeJudge()
        self._bars = Bars(adapter.name, self._truth.on_second)
        self._steady = Steady()
        self._gaps = Gaps() if host is not None else None
        self._host = host
        self._universe = universe
        self._publisher = publisher
        self._clock = clock
        self._observed_ms = 0
        self._delay = metrics.DELAY.labels(adapter.name)

    def feeds(self, contracts: Sequence[Instrument]) -> list[Feed]:
        """Return the sockets that carry these contracts' trades; bars of others come to an end."""
        coins = {contract.coin for contract in contracts}
        self._bars.follow(coins)
        self._truth.follow(coins)
        if self._gaps is not None:
            self._gaps.follow({contract.symbol for contract in contracts})
        return super().feeds(contracts)

    async def accompany(self, teller: FeedHealthTeller) -> None:
        """Ask for the trades that the venue's numbers say are missing."""
        if self._host is not None and self._gaps is not None:
            backfill = Backfill(self._adapter, self._host, self._gaps, self._on_late, self._clock)
            await backfill.run(teller)

    def judge(self, state: FeedState, reason: str, now_ms: int) -> tuple[FeedState, str]:
        """Hold what the sockets say against the pace of the busiest coins."""
        why = self.why_down(reason, now_ms) if state == "DOWN" else reason
        self._truth.connected(LINKS.get(state, "up"), now_ms, why)
        verdict = self._steady.settle(self._truth.judge(now_ms), now_ms)
        return verdict.state, verdict.reason

    async def on_frame(self, frame: bytes, since_ms: int) -> Heard:
        """Publish a frame's trades and the bars now due; return what it was."""
        recv_ms = self._clock.now_ms()
        events, heard = self.take(frame, recv_ms, since_ms), self.heard
        if not events:
            return heard
        for event in events:
            if isinstance(event, Trade) and self._note(event):
                await self._publisher.publish(TRADES, event)
            elif isinstance(event, MarkPrice) and event.coin in self._universe:
                self._bars.on_mark(event)
                self._truth.on_mark(recv_ms)
        if recv_ms != self._observed_ms and isinstance(events[0], Trade):
            self._observed_ms = recv_ms
            self._delay.observe((recv_ms - events[0].ts_event_ms) / 1000)
        for bar in self._bars.close(recv_ms):
            await self._publisher.publish(BARS, bar)
        return heard

    def _note(self, trade: Trade) -> bool:
        if self._gaps is not None and not self._gaps.on_trade(trade):
            return False
        self._bars.on_trade(trade)
        return True

    async def _on_late(self, trades: Sequence[Trade]) -> None:
        for trade in self.only_new(trades):
            self._bars.on_trade(trade)
            await self._publisher.publish(TRADES, trade)
