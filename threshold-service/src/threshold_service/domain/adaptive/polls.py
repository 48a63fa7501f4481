"""One contract's open interest, minute by minute: which readings can be compared with which."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from math import isfinite
from typing import Final

import msgspec

from foreshock_schemas.events import AHEAD_MS, OpenInterest

KEPT_MIN: Final = 70
"""The longest change that is looked at takes 60 min; the rest is for polls that come late."""

WAIT_RATIO: Final = 1.6
"""A change by more than this factor in one poll counts only if the next poll agrees. A venue that
changes what it counts (mostly halves or doubles it) may say so a poll late."""

BREAK_RATIO: Final = 3.0
"""A change by more than this factor is one of definition or multiplier, never the market's."""

STALE_POLLS: Final = 3
"""After more repeats than this a contract is stale, if another moved within as many minutes."""

PRICE_TOLERANCE: Final = 0.05
"""How far USD by coins may lie from the mark price, as a share of it."""


def minute_of(ms: int) -> int:
    """Return the minute, since 1970, that a poll belongs to: the nearest."""
    return (ms + 30_000) // 60_000


def is_sound(event: OpenInterest) -> bool:
    """Return whether a reading can be believed by itself.

    It cannot if an amount is not positive and finite, if it comes from the future, or if its
    coins at the mark price are not its dollars: then the contract's multiplier is wrong.
    """
    coins, usd, mark = event.open_interest_coins, event.open_interest_usd, event.mark_price
    if not (isfinite(coins) and isfinite(usd) and coins > 0 and usd > 0):
        return False
    if event.ts_event_ms - event.ts_recv_ms > AHEAD_MS:
        return False
    return not mark > 0 or abs(usd / coins / mark - 1) <= PRICE_TOLERANCE


class Polls(msgspec.Struct, kw_only=True):
    """The last 70 min of one contract's readings in coins, one a minute at most.

    `seen` is the minute of the latest poll, `moved` that of the latest change. `held` is a reading
    that waits for the next one to agree. `repeats` counts polls in a row that said the same: where
    there are too many while other contracts move, only the first of them stands. `interval` is the
    time between polls, the shorter of the last two gaps. `news` are the minutes whose figure
    differed from the one before.
    """

    exchange: str
    minutes: list[int] = []
    coins: list[float] = []
    seen: int = 0
    moved: int = 0
    mark: float = 0.0
    comparable_since: int = 0
    held: float | None = None
    held_minute: int = 0
    repeats: int = 0
    interval: int = 1
    news: list[int] = []

    def add(self, event: OpenInterest, everybody: Iterable["Polls"]) -> None:
        """Take a sound reading; `everybody` are the coin's contracts, this one or not."""
        minute = minute_of(event.ts_event_ms)
        if minute <= self.seen:
            return
        self.seen = minute
        self._forget_before(minute_of(event.comparable_since_ms))
        if event.mark_price > 0:
            self.mark = event.mark_price
        coins = event.open_interest_coins
        if self.minutes and _ratio(coins, self.coins[-1]) > WAIT_RATIO:
            self._wait(minute, coins)
            return
        self.held = None
        self._keep(minute, coins)
        if self.repeats > STALE_POLLS:
            moved = max((each.moved for each in everybody if each is not self), default=0)
            if minute - moved <= STALE_POLLS:
                self._drop_repeats()

    def pace(self, minute: int) -> int:
        """Return how many minutes the figure of a minute stood still, from its news to the next.

        What is polled each minute may be counted each hour, or be stuck for a while; the change
        that ends such a stretch took all of it.
        """
        after = bisect_right(self.news, minute)
        began = self.news[after - 1] if after else minute
        return (self.news[after] if after < len(self.news) else self.seen) - began

    def is_due(self, minute: int) -> bool:
        """Return whether a reading for this minute may still come."""
        age = minute - self.seen
        return self.interval <= age <= self.interval + 1

    def at(self, minute: int) -> float | None:
        """Return the coins that stand for a minute: its own poll's or the last one's before it."""
        index = bisect_right(self.minutes, minute) - 1
        if index < 0 or minute - self.minutes[index] > self.interval + 1:
            return None
        return self.coins[index]

    def _keep(self, minute: int, coins: float) -> None:
        if self.coins and coins == self.coins[-1]:
            self.repeats += 1
        else:
            self.repeats, self.moved = 0, minute
            self.news.append(minute)
            del self.news[: max(0, bisect_left(self.news, minute - KEPT_MIN) - 1)]
        self.minutes.append(minute)
        self.coins.append(coins)
        self._cut(0, bisect_left(self.minutes, minute - KEPT_MIN))

    def _wait(self, minute: int, coins: float) -> None:
        """Hold a reading that jumped until the next one agrees with it, or with those before."""
        held, self.held = self.held, coins
        held_minute, self.held_minute = self.held_minute, minute
        if held is None or _ratio(held, coins) > WAIT_RATIO:
            return
        if _ratio(coins, self.coins[-1]) > BREAK_RATIO:
            self._cut(0, len(self.minutes))
        self.held = None
        self._keep(held_minute, held)
        self._keep(minute, coins)

    def _drop_repeats(self) -> None:
        self._cut(bisect_left(self.minutes, self.moved) + 1, len(self.minutes))

    def _forget_before(self, minute: int) -> None:
        if minute <= self.comparable_since:
            return
        self.comparable_since, self.held = minute, None
        self._cut(0, bisect_left(self.minutes, minute))

    def _cut(self, first: int, end: int) -> None:
        del self.minutes[first:end], self.coins[first:end]
        gaps = [after - before for before, after in pairwise(self.minutes[-3:])]
        self.interval = min(gaps, default=1)


def _ratio(one: float, other: float) -> float:
    return max(one / other, other / one)
