"""The polls: open interest each minute, and behind it histories, tiers, caps and statistics."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publishing
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS
from oi_poller import metrics
from oi_poller.domain.belief import Belief
from oi_poller.domain.market import Market
from oi_poller.edge.market_caps import MarketCaps
from oi_poller.edge.venue import Venue
from oi_poller.edge.venue_poll import VenuePoll

log = logs.get_logger(__name__)

POLL_S: Final = 50.0
"""How long a venue's poll may take, so that the next begins on its minute."""

_OPENING_S: Final = 15.0
_CATCHING_UP_S: Final = 45.0
_CAPS_EVERY_MS: Final = 6 * 3_600_000
_CAPS_AGAIN_MS: Final = 10 * 60_000
"""When a source failed or a coin's cap is missing: CoinPaprika allows 27 calls an hour."""
_STATS_EVERY_MS: Final = 5 * 60_000


class Poller:
    """Asks the venues and publishes what they say. A venue that fails leaves the others alone."""

    def __init__(
        self,
        venues: Sequence[Venue],
        caps: MarketCaps,
        market: Market,
        publisher: Publishing,
        clock: Clock,
        poll_ms: int = 60_000,
    ) -> None:
        belief = Belief([venue.name for venue in venues], poll_ms)
        self.polls = [
            VenuePoll(venue, market, belief, publisher, clock, poll_ms) for venue in venues
        ]
        self._caps = caps
        self._market = market
        self._publisher = publisher
        self._clock = clock
        self._opening = _Opening({venue.name for venue in venues})
        self._caps_asked_ms = 0
        self._caps_failed = False
        self._stats_due_ms = 0
        self._told = market.universe

    async def poll(self, venue: VenuePoll, patience_s: float = POLL_S) -> None:
        """Read and publish a venue's open interest, and before it what is followed."""
        until_s = asyncio.get_running_loop().time() + patience_s
        await venue.read_tickers(until_s)
        await self._opening.heard(venue.name)
        self._decide()
        await self._tell_contracts(venue.name)
        await venue.read_open_interest(until_s)
        await self._publisher.flush()

    async def catch_up(self) -> None:
        """Load what is missing or old; publish the statistics that are due.

        What is not there after 45 s is asked for next time; histories then under way have 30 s
        more.
        Statistics come last and as complete as they can be: thresholds made of half of them
        would be others.
        """
        if not self._market.listed:
            return
        until_s = asyncio.get_running_loop().time() + _CATCHING_UP_S
        async with asyncio.TaskGroup() as group:
            behind = [self._load_caps(until_s), *(venue.catch_up(until_s) for venue in self.polls)]
            learning = [group.create_task(each) for each in behind]
        for venue in self.polls:
            await self._tell_contracts(venue.name)
        now_ms, universe = self._clock.now_ms(), self._market.universe
        learned = any(task.result() for task in learning)
        if learned or universe != self._told or now_ms >= self._stats_due_ms:
            self._stats_due_ms = now_ms + _STATS_EVERY_MS
            self._told = universe
            for stats in self._market.stats(now_ms):
                await self._publisher.publish(MARKET_STATS, stats)
            self._market.forget(now_ms)
        await self._publisher.flush()

    async def repeat(self) -> None:
        """Tell each minute how the venues' polls are, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for venue in self.polls:
                group.create_task(venue.teller.repeat())

    async def load_weeks(self) -> None:
        """Load the venues' 15-minute candles behind all else, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for venue in self.polls:
                group.create_task(venue.weeks.run())

    async def stopped(self) -> None:
        """Tell that nothing is polled any more."""
        for venue in self.polls:
            await venue.teller.stopped()

    def _decide(self) -> None:
        for stranger in self._market.decide(self._clock.now_ms()):
            metrics.STRANGERS.labels(stranger.exchange).inc()
            log.warning(
                "same_ticker_other_coin",
                exchange=stranger.exchange,
                symbol=stranger.symbol,
                coin=stranger.coin,
                price=stranger.price,
                leader=stranger.leader,
                leader_price=stranger.leader_price,
            )
        metrics.COINS.set(len(self._market.universe))

    async def _tell_contracts(self, venue: str) -> None:
        for contract in self._market.news(venue, self._clock.now_ms()):
            await self._publisher.publish(INSTRUMENTS, contract)

    async def _load_caps(self, until_s: float) -> bool:
        """Ask the sources if it is time to; return whether they were asked."""
        now_ms = self._clock.now_ms()
        soon = self._caps_failed or self._market.without_cap()
        if now_ms - self._caps_asked_ms < (_CAPS_AGAIN_MS if soon else _CAPS_EVERY_MS):
            return False
        self._caps_asked_ms = now_ms
        symbols = {venue.name: self._market.symbols(venue.name) for venue in self.polls}
        answers = await self._caps.ask(symbols, self._market.prices(), now_ms, until_s)
        self._caps_failed = None in answers
        self._market.learn_caps([caps for caps in answers if caps is not None])
        return True


class _Opening:
    """The first choice of coins waits until every venue has been heard, 15 s at most."""

    def __init__(self, awaited: set[str]) -> None:
        self._awaited = awaited
        self._over = asyncio.Event()

    async def heard(self, venue: str) -> None:
        self._awaited.discard(venue)
        if not self._awaited:
            self._over.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPENING_S):
                await self._over.wait()
        self._over.set()
