"""The polls: open interest each minute, and behind it contracts, histories, caps, statistics."""

import asyncio
from collections.abc import Sequence
from typing import Final

from foreshock_exchanges.base import MalformedMessage
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError
from foreshock_kit.kafka import Publishing
from foreshock_schemas.topics import INSTRUMENTS, KLINES, MARKET_STATS, OPEN_INTEREST
from oi_poller import metrics
from oi_poller.domain.market import Market, Missing
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.venue import Venue

log = logs.get_logger(__name__)

HISTORIES_AT_ONCE: Final = 4
_CONTRACTS_EVERY_MS: Final = 3_600_000
_CAPS_EVERY_MS: Final = 6 * 3_600_000
_CAPS_AGAIN_MS: Final = 10 * 60_000
"""When a source failed or a coin's cap is missing: CoinPaprika allows 27 calls an hour."""
_STATS_EVERY_MS: Final = 5 * 60_000
_UNANSWERED = (ForeshockError, MalformedMessage)


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
        self._venues = {venue.name: venue for venue in venues}
        self._caps = caps
        self._market = market
        self._publisher = publisher
        self._clock = clock
        self._contracts_due_ms = dict.fromkeys(self._venues, 0)
        self._caps_asked_ms = 0
        self._caps_failed = False
        self._stats_due_ms = 0
        self._told = market.universe
        self._calm = asyncio.Event()
        self._slots = asyncio.Semaphore(HISTORIES_AT_ONCE)

    async def poll(self) -> None:
        """Read and publish open interest, and before it contracts where they are due."""
        self._calm.clear()
        async with asyncio.TaskGroup() as group:
            for venue in self._venues.values():
                group.create_task(self._poll_tickers(venue))
        async with asyncio.TaskGroup() as group:
            for venue in self._venues.values():
                group.create_task(self._poll_open_interest(venue))
        metrics.COINS.set(len(self._market.universe))
        await self._publisher.flush()
        self._calm.set()

    async def catch_up(self) -> None:
        """Load histories and caps that are missing or old; publish the statistics that are due.

        Statistics come last and complete: thresholds made of half of them would be others.
        While a poll is under way no history is asked for: the budget's minute is for the poll.
        """
        if not self._market.listed:
            return
        learned = [await self._load_histories(), await self._load_caps()]
        now_ms, universe = self._clock.now_ms(), self._market.universe
        if any(learned) or universe != self._told or now_ms >= self._stats_due_ms:
            self._stats_due_ms = now_ms + _STATS_EVERY_MS
            self._told = universe
            for stats in self._market.stats(now_ms):
                await self._publisher.publish(MARKET_STATS, stats)
        await self._publisher.flush()

    async def _refresh_contracts(self, venue: Venue) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._contracts_due_ms[venue.name]:
            return
        try:
            contracts = await venue.instruments()
            self._market.learn_intervals(venue.name, await venue.funding_intervals())
        except _UNANSWERED as e:
            log.warning("contracts_unavailable", exchange=venue.name, reason=str(e))
            return
        self._contracts_due_ms[venue.name] = now_ms + _CONTRACTS_EVERY_MS
        for contract in self._market.learn_contracts(venue.name, contracts):
            await self._publisher.publish(INSTRUMENTS, contract)

    async def _poll_tickers(self, venue: Venue) -> None:
        await self._refresh_contracts(venue)
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

    async def _load_caps(self) -> bool:
        """Ask the sources if it is time to; return whether they were asked."""
        now_ms = self._clock.now_ms()
        soon = self._caps_failed or self._market.without_cap()
        if now_ms - self._caps_asked_ms < (_CAPS_AGAIN_MS if soon else _CAPS_EVERY_MS):
            return False
        self._caps_asked_ms = now_ms
        symbols = {name: self._market.symbols(name) for name in self._venues}
        answers = await self._caps.ask(symbols, self._market.prices(), now_ms)
        self._caps_failed = None in answers
        self._market.learn_caps([caps for caps in answers if caps is not None])
        return True

    async def _load_histories(self) -> bool:
        """Load those that are missing or old; return whether there were any."""
        missing = self._market.without_history(self._clock.now_ms())
        async with asyncio.TaskGroup() as group:
            for each in missing:
                group.create_task(self._load_history(each))
        return bool(missing)

    async def _load_history(self, missing: Missing) -> None:
        venue, coin = self._venues[missing.venue], missing.coin
        async with self._slots:
            await self._calm.wait()
            try:
                klines = await venue.klines(missing.symbol, "1h", missing.hours)
            except _UNANSWERED as e:
                log.warning("history_unavailable", exchange=venue.name, coin=coin, reason=str(e))
                return
        now_ms = self._clock.now_ms()
        for kline in self._market.learn_candles(coin, venue.name, klines, now_ms):
            await self._publisher.publish(KLINES, kline)
