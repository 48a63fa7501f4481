"""The polls of one venue: each answers, fails or is given up on its own."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Final, TypeVar

from foreshock_exchanges.base import MalformedMessage
from foreshock_exchanges.venue import pages
from foreshock_kit import logs
from foreshock_kit.clock import Clock
from foreshock_kit.errors import ForeshockError, Refused, Unavailable
from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.kafka import Publishing
from foreshock_schemas.events import Kline, OpenInterest
from foreshock_schemas.topics import KLINES, OPEN_INTEREST
from oi_poller import metrics
from oi_poller.domain.belief import Belief, Failure
from oi_poller.domain.market import Market, Missing
from oi_poller.domain.weeks import Weeks
from oi_poller.edge.venue import Venue
from oi_poller.edge.week_loader import WeekLoader

T = TypeVar("T")

log = logs.get_logger(__name__)

_CHANNEL: Final = "open-interest"
_HISTORIES_AT_ONCE: Final = 4
_TIERS_AT_ONCE: Final = 20
_LAST_ANSWER_S: Final = 30.0
_HOURLY_MS: Final = 3_600_000


class VenuePoll:
    """Asks one venue and publishes what it says, and by `teller` whether to believe it.

    `name` is the venue's; `belief` is that of all venues; `weeks` loads behind all that is here.
    """

    def __init__(
        self,
        venue: Venue,
        market: Market,
        belief: Belief,
        publisher: Publishing,
        clock: Clock,
        poll_ms: int = 60_000,
    ) -> None:
        self.name = venue.name
        self._venue = venue
        self._market = market
        self._publisher = publisher
        self._clock = clock
        self._belief = belief
        self.teller = FeedHealthTeller(clock, venue.name, _CHANNEL, publisher)
        self._contracts_due_ms = 0
        self._tiers_asked_ms: dict[str, int] = {}
        self._has_history = True
        self._told_unavailable = False
        self._failure: Failure | None = None
        self._started_s = 0.0
        self._calm = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._weeks = Weeks(poll_ms)
        self.weeks = WeekLoader(venue, market, self._weeks, publisher, clock, self._quiet)

    async def read_tickers(self, until_s: float) -> None:
        """Take the venue's contracts where they are due, and its tickers, until that loop time.

        Until `read_open_interest` is over no history is asked for: the budget is for the poll.
        """
        self._calm.clear()
        self._failure = None
        self._started_s = self._clock.monotonic()
        if self._clock.now_ms() >= self._contracts_due_ms:
            asking = self._read_contracts()
            self._failure = await self._answer("contracts_unavailable", asking, until_s)
        if not self._market.lists(self.name):
            return
        tickers = await self._answer("tickers_unavailable", self._venue.tickers(), until_s)
        if isinstance(tickers, Failure):
            self._failure = tickers
        else:
            self._market.learn_tickers(self.name, tickers, self._clock.now_ms())

    async def read_open_interest(self, until_s: float) -> None:
        """Publish the venue's open interest, and how the poll went."""
        readings, failure = await self._read_open_interest(until_s)
        self._calm.set()
        metrics.POLL_SECONDS.labels(self.name).observe(self._clock.monotonic() - self._started_s)
        for reading in readings:
            await self._publisher.publish(OPEN_INTEREST, reading)
        metrics.POLLS.labels(self.name, "failed" if failure else "good").inc()
        now_ms = self._clock.now_ms()
        if readings:
            metrics.LAST_POLL.labels(self.name).set(now_ms / 1000)
            self._weeks.heard([each.symbol for each in readings], now_ms)
        asked = self._market.symbols(self.name).values()
        await self.teller.say(*self._belief.judge(self.name, asked, readings, failure, now_ms))

    async def catch_up(self, until_s: float) -> bool:
        """Load histories, then margin tiers, that are missing or old; publish the candles.

        None is asked for after that loop time, and only a history is waited for then, for 30 s.
        Returns whether there is a new history.
        """
        self._caught_up.clear()
        missing = iter(self._market.without_history(self.name, self._clock.now_ms()))
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._load_each(missing, until_s))
                for _ in range(_HISTORIES_AT_ONCE)
            ]
        await self._load_tiers(until_s)
        self._caught_up.set()
        return any(task.result() for task in tasks)

    async def _quiet(self) -> None:
        """Return when neither a poll is under way nor what follows it."""
        while not (self._calm.is_set() and self._caught_up.is_set()):
            await self._calm.wait()
            await self._caught_up.wait()

    async def _read_contracts(self) -> None:
        contracts = await self._venue.instruments()
        self._market.learn_intervals(self.name, await self._venue.funding_intervals())
        self._market.learn_contracts(self.name, contracts)
        self._contracts_due_ms = self._clock.now_ms() + _HOURLY_MS

    async def _read_open_interest(
        self, until_s: float
    ) -> tuple[list[OpenInterest], Failure | None]:
        if not self._market.lists(self.name):
            return [], self._failure
        readings = await self._answer("open_interest_unavailable", self._readings(), until_s)
        if isinstance(readings, Failure):
            return [], readings
        return readings, None if readings else self._failure

    async def _readings(self) -> list[OpenInterest]:
        symbols = list(self._market.symbols(self.name).values())
        if not symbols:
            return []
        premiums = await self._venue.premiums(symbols)
        rows = await self._venue.open_interest(symbols)
        usual_h, now_ms = self._venue.default_funding_interval_h, self._clock.now_ms()
        since_ms = self._belief.comparable_since_ms(self.name, rows, now_ms)
        return self._market.open_interest(self.name, rows, premiums, usual_h, now_ms, since_ms)

    async def _load_tiers(self, until_s: float) -> None:
        """Load those of followed contracts that were not asked for in the last hour."""
        now_ms = self._clock.now_ms()
        due = [
            symbol
            for symbol in self._market.symbols(self.name).values()
            if now_ms - self._tiers_asked_ms.get(symbol, 0) >= _HOURLY_MS
        ]
        for symbols in pages(due, _TIERS_AT_ONCE):
            if asyncio.get_running_loop().time() >= until_s:
                return
            asking = self._venue.tiers(symbols)
            tiers = await self._answer("margin_tiers_unavailable", asking, until_s)
            if isinstance(tiers, Failure):
                return
            self._tiers_asked_ms |= dict.fromkeys(symbols, now_ms)
            self._market.learn_tiers(self.name, tiers, now_ms)

    async def _load_each(self, missing: Iterator[Missing], until_s: float) -> bool:
        learned = False
        for each in missing:
            await self._calm.wait()
            if not self._has_history or asyncio.get_running_loop().time() >= until_s:
                break
            learned = await self._load_history(each, until_s + _LAST_ANSWER_S) or learned
        return learned

    async def _load_history(self, missing: Missing, until_s: float) -> bool:
        asking = self._ask_history(missing)
        klines = await self._answer("history_unavailable", asking, until_s, coin=missing.coin)
        if isinstance(klines, Failure):
            return False
        new = self._market.learn_candles(missing, klines, self._clock.now_ms())
        for kline in new:
            await self._publisher.publish(KLINES, kline)
        return bool(new)

    async def _ask_history(self, missing: Missing) -> list[Kline]:
        klines = await self._venue.klines(missing.symbol, "1h", missing.hours)
        self._has_history = klines is not None
        return klines or []

    async def _answer(
        self, failure: str, asking: Awaitable[T], until_s: float, **where: str
    ) -> T | Failure:
        """Return what is answered until then, else log why there is nothing."""
        try:
            async with asyncio.timeout_at(until_s):
                answer = await asking
        except TimeoutError:
            why = Failure("no answer in time")
        except Unavailable as e:
            self._tell_unavailable(e)
            return Failure(f"not served here: {e}", refused=True)
        except (ForeshockError, MalformedMessage) as e:
            why = Failure(str(e), refused=isinstance(e, Refused))
        else:
            self._told_unavailable = False
            return answer
        log.warning(failure, exchange=self.name, reason=why.reason, **where)
        return why

    def _tell_unavailable(self, why: Unavailable) -> None:
        if not self._told_unavailable:
            self._told_unavailable = True
            log.error(
                "venue_unavailable",
                exchange=self.name,
                reason=str(why),
                advice=f"EXCHANGES without {self.name}, or another host by EXCHANGE_REST_URLS",
            )
