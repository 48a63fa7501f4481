"""Gaps in a venue's trades, filled by REST as far as it answers, and recorded as facts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

from foreshock_exchanges.base import Adapter, MalformedMessage
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.http import HttpClient
from foreshock_schemas.events import Trade
from foreshock_schemas.ids import numbers_of
from ingest_trades import metrics
from ingest_trades.domain.gaps import Gap, Gaps

log = logs.get_logger(__name__)

SHARE: Final = 1 / 9
"""Of the venue's limit: a third of our own ceiling, which is a third of the limit."""
_LOOK_EVERY_S: Final = 0.5
_MOST_ANSWERS: Final = 20
"""For one gap: on Binance 20,000 trades, and one and a half times our minute's budget."""

OnTrades = Callable[[Sequence[Trade]], Awaitable[None]]


class Backfill:
    """Looks for gaps that are due, one after the other, and hands on the trades that it gets."""

    def __init__(
        self, adapter: Adapter, http: HttpClient, gaps: Gaps, on_trades: OnTrades, clock: Clock
    ) -> None:
        self._rest = adapter.rest
        self._http = http
        self._gaps = gaps
        self._on_trades = on_trades
        self._clock = clock
        self._missing = metrics.MISSING.labels(adapter.name)
        self._refilled = metrics.REFILLED.labels(adapter.name)

    async def run(self, teller: FeedHealthTeller) -> NoReturn:
        """Fill gaps until cancelled; `teller` records each, filled or not."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for gap in self._gaps.due(self._clock.now_ms()):
                refilled = await self._fill(gap)
                self._missing.inc(gap.missing)
                self._refilled.inc(refilled)
                await teller.gap(
                    f"{gap.missing} trades of {gap.symbol} did not come; {refilled} came by asking",
                    gap.start_ms,
                    gap.end_ms,
                    symbol=gap.symbol,
                    missing=gap.missing,
                    refilled=refilled,
                )

    async def _fill(self, gap: Gap) -> int:
        """Return how many of the missing numbers came by asking for them."""
        refilled, first = 0, gap.first
        try:
            for _ in range(_MOST_ANSWERS):
                trades = await self._ask(gap, first)
                if not trades:
                    break
                fresh = [trade for trade in trades if self._gaps.on_refill(trade)]
                await self._on_trades(fresh)
                refilled += sum(end - start + 1 for start, end in map(_numbers, fresh))
                first = max(end for _, end in map(_numbers, trades)) + 1
                if first > gap.last:
                    break
        except (ForeshockError, MalformedMessage) as e:
            log.warning("gap_not_filled", symbol=gap.symbol, missing=gap.missing, reason=str(e))
        return refilled

    async def _ask(self, gap: Gap, first: int) -> list[Trade]:
        request = self._rest.trades(gap.symbol, first, gap.last)
        if request is None:
            return []
        body = await self._http.get(request.path, dict(request.params), request.weight)
        trades = self._rest.read_trades(body, gap.symbol, self._clock.now_ms())
        return [t for t in trades if first <= _numbers(t)[1] <= gap.last]


def _numbers(trade: Trade) -> tuple[int, int]:
    return numbers_of(trade.event_id)
