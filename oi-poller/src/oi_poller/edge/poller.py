"""The polls: contracts each hour, statistics and open interest each minute, history behind them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from foreshock_exchanges.base import MalformedFrame
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError
from foreshock_kit.kafka import Publishing
from foreshock_schemas.topics import INSTRUMENTS, KLINES, MARKET_STATS, OPEN_INTEREST
from oi_poller import metrics
from oi_poller.domain import history
from oi_poller.domain.market import Market
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.venue import Venue

log = logs.get_logger(__name__)

_CAPS_EVERY_MS: Final = 6 * 3_600_000
_CAPS_AGAIN_MS: Final = 10 * 60_000
"""When a coin's cap is still missing: CoinPaprika allows 27 calls an hour."""
_STATS_EVERY_MS: Final = 5 * 60_000
_HISTORIES_AT_ONCE: Final = 4
_UNANSWERED = (ForeshockError, MalformedFrame)


class Poller:
    """Asks the venues and publishes what they say. A venue that fails leaves the others alone."""

    def __init__(
        self,
        venues: Sequence[Venue],
        caps: MarketCaps,
        market: Market,
        publisher: Publishing,
        clock: Clock,
    ) -> None:
        self._venues = venues
        self._caps = caps
        self._market = market
        self._publisher = publisher
        self._clock = clock
        self._caps_due_ms = 0
        self._stats_due_ms = 0
        self._slots = asyncio.Semaphore(_HISTORIES_AT_ONCE)

    async def refresh_contracts(self) -> None:
        """Read every venue's contracts and funding intervals; publish what is new."""
        for venue in self._venues:
            try:
                contracts = await venue.instruments()
                self._market.learn_intervals(venue.name, await venue.funding_intervals())
            except _UNANSWERED as e:
                log.warning("contracts_unavailable", exchange=venue.name, reason=str(e))
                continue
            for contract in self._market.learn_contracts(venue.name, contracts):
                await self._publisher.publish(INSTRUMENTS, contract)
        await self._publisher.flush()

    async def poll(self) -> None:
        """Read and publish open interest, then whatever is due of the rest.

        Statistics come last and complete: thresholds made of half of them would be others.
        """
        followed = self._market.universe
        async with asyncio.TaskGroup() as group:
            for venue in self._venues:
                group.create_task(self._poll_tickers(venue))
        async with asyncio.TaskGroup() as group:
            for venue in self._venues:
                group.create_task(self._poll_open_interest(venue))
        learned = await self._catch_up()
        now_ms = self._clock.now_ms()
        if learned or self._market.universe != followed or now_ms >= self._stats_due_ms:
            self._stats_due_ms = now_ms + _STATS_EVERY_MS
            for stats in self._market.stats(now_ms):
                await self._publisher.publish(MARKET_STATS, stats)
        metrics.COINS.set(len(self._market.universe))
        await self._publisher.flush()

    async def _catch_up(self) -> bool:
        """Load histories and caps that are missing or old; return whether there were any."""
        now_ms = self._clock.now_ms()
        venues = {venue.name: venue for venue in self._venues}
        missing = self._market.without_history(now_ms)
        async with asyncio.TaskGroup() as group:
            for name, coin, symbol in missing:
                group.create_task(self._load_history(venues[name], coin, symbol))
        if now_ms < self._caps_due_ms:
            return bool(missing)
        await self._ask_caps(now_ms)
        return True

    async def _poll_tickers(self, venue: Venue) -> None:
        try:
            self._market.learn_tickers(venue.name, await venue.tickers())
        except _UNANSWERED as e:
            log.warning("tickers_unavailable", exchange=venue.name, reason=str(e))

    async def _poll_open_interest(self, venue: Venue) -> None:
        started = self._clock.monotonic()
        symbols = list(self._market.symbols(venue.name).values())
        try:
            premiums = await venue.premiums()
            rows = await venue.open_interest(symbols)
        except* _UNANSWERED as group:
            reason = str(group.exceptions[0])
            log.warning("open_interest_unavailable", exchange=venue.name, reason=reason)
            metrics.POLLS.labels(venue.name, "failed").inc()
        else:
            usual_h, now_ms = venue.default_funding_interval_h, self._clock.now_ms()
            for event in self._market.open_interest(venue.name, rows, premiums, usual_h, now_ms):
                await self._publisher.publish(OPEN_INTEREST, event)
            metrics.POLLS.labels(venue.name, "good").inc()
            metrics.LAST_POLL.labels(venue.name).set(now_ms / 1000)
        metrics.POLL_SECONDS.labels(venue.name).observe(self._clock.monotonic() - started)

    async def _ask_caps(self, now_ms: int) -> None:
        symbols = {venue.name: self._market.symbols(venue.name) for venue in self._venues}
        prices = self._market.prices()
        self._market.learn_caps(await self._caps.ask(symbols, prices, now_ms))
        missing = self._market.without_cap()
        self._caps_due_ms = now_ms + (_CAPS_AGAIN_MS if missing else _CAPS_EVERY_MS)

    async def _load_history(self, venue: Venue, coin: str, symbol: str) -> None:
        async with self._slots:
            try:
                klines = await venue.klines(symbol, "1h", history.HOURS)
            except _UNANSWERED as e:
                log.warning("history_unavailable", exchange=venue.name, coin=coin, reason=str(e))
                return
        now_ms = self._clock.now_ms()
        told_ms = self._market.history_until_ms(coin, venue.name)
        self._market.learn_history(coin, venue.name, history.of_klines(klines, now_ms))
        for kline in klines:
            if told_ms < kline.ts_event_ms <= now_ms:
                await self._publisher.publish(KLINES, kline)
