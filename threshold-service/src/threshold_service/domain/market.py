"""One coin's price, volume and open interest of late, to be asked about a past time.

Bars are summed into slots by the time of their receipt, and a slot counts only when it is whole;
readings of open interest are kept by theirs. So an answer about a time is the same, whatever
else has come since.
"""

from collections.abc import Collection
from math import inf, log, sqrt
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, OpenInterest
from threshold_service.domain.history import History
from threshold_service.domain.surroundings import Move
from threshold_service.domain.windows import MOST_USD

SLOT_MS: Final = 10_000
_SLOTS: Final = 370
"""Slots of prices kept: over an hour. What is asked about a longer time is not known."""

_MINUTE_MS: Final = 60_000
_REPEATED_S: Final = 300
"""How many seconds after its own a bar that comes again is recognised."""

_MINUTES: Final = 66
_READINGS: Final = 70
"""Minutes of volume and readings of open interest kept: over an hour."""

_FRESH_MS: Final = 330_000
"""How old a reading may be to stand for now; some venues tell every five minutes."""

_TOLERANCE: Final = 0.5
"""How far before the beginning of a span, as a share of it, a reading may lie to stand for it."""

_FORGET: Final = 1 / 360
"""Weight of a slot in the usual move: an hour has 360 of them."""


class Slot(msgspec.Struct, array_like=True, gc=False):
    """The market at the end of a slot; `cvd_usd` is summed since the coin was first seen."""

    price: float
    variance: float
    cvd_usd: float


class Prices(msgspec.Struct):
    """Price, the usual variance of its log return, and the takers' flow, in slots of 10 s."""

    slots: History[Slot] = msgspec.field(default_factory=lambda: History(_SLOTS))
    open_index: int = 0
    price: float = 0.0
    cvd_usd: float = 0.0

    def add(self, bar: Bar) -> None:
        """Count a bar; a slot is closed by the first bar that is received after it."""
        index = bar.ts_recv_ms // SLOT_MS
        if index > self.open_index:
            self._close(index)
        price = bar.mark_price or bar.close
        if price is not None and 0 < price < inf:
            self.price = price
        flow = 2 * bar.taker_buy_usd - bar.notional_usd
        if -MOST_USD < flow < MOST_USD:
            self.cvd_usd += flow

    def move(self, ms: int, over_s: int) -> Move | None:
        """Return the change of the price over the seconds before `ms`."""
        ends = self._ends(ms, over_s)
        if ends is None:
            return None
        then, now = ends
        usual = sqrt(now.variance * over_s * 1000 / SLOT_MS)
        return Move(log(now.price / then.price), usual)

    def flow(self, ms: int, over_s: int) -> float | None:
        """Return what takers bought less what they sold over the seconds before `ms`; USD."""
        ends = self._ends(ms, over_s)
        return None if ends is None else ends[1].cvd_usd - ends[0].cvd_usd

    def _ends(self, ms: int, over_s: int) -> tuple[Slot, Slot] | None:
        now, then = self._at(ms), self._at(ms - over_s * 1000)
        return None if now is None or then is None else (then, now)

    def _at(self, ms: int) -> Slot | None:
        return self._open() if self._end_ms() <= ms and self.price else self.slots.at(ms)

    def _close(self, index: int) -> None:
        if self.price:
            self.slots.add(self._end_ms(), self._open())
        self.open_index = index

    def _end_ms(self) -> int:
        return (self.open_index + 1) * SLOT_MS

    def _open(self) -> Slot:
        """Return what the open slot becomes if nothing is added any more."""
        if not self.slots.values:
            return Slot(self.price, 0.0, self.cvd_usd)
        before = self.slots.values[-1]
        passed = max(1, (self._end_ms() - self.slots.times[-1]) // SLOT_MS)
        square = log(self.price / before.price) ** 2 / passed
        weight = _FORGET if before.variance else 1.0
        variance = before.variance + (square - before.variance) * weight
        return Slot(self.price, variance, self.cvd_usd)


class Traded(msgspec.Struct):
    """A venue's volume by minutes of receipt, summed since it was first seen.

    `ends` has the seconds that its latest bars end with.
    """

    minutes: History[float] = msgspec.field(default_factory=lambda: History(_MINUTES))
    open_index: int = 0
    total_usd: float = 0.0
    ends: list[int] = msgspec.field(default_factory=lambda: [0] * _REPEATED_S)

    def is_new(self, second: int) -> bool:
        """Return whether no bar of the last 300 s has ended with this second, and remember it."""
        slot = second % _REPEATED_S
        held = self.ends[slot]
        if second > held:
            self.ends[slot] = second
        return second != held

    def add(self, ms: int, usd: float) -> None:
        """Count what was traded."""
        index = ms // _MINUTE_MS
        if index > self.open_index:
            if self.open_index:
                self.minutes.add(self._end_ms(), self.total_usd)
            self.open_index = index
        if 0 < usd < MOST_USD:
            self.total_usd += usd

    def over(self, ms: int, over_s: int) -> float | None:
        """Return the volume of the whole minutes that cover the seconds before `ms`; USD.

        None if less than half of that time was seen.
        """
        now = self._at(ms)
        if now is None:
            return None
        then = self._at(ms - over_s * 1000 - _MINUTE_MS)
        if then is not None:
            return now - then
        closed = self.minutes
        first_ms = closed.times[0] if closed.times else self._end_ms()
        first_usd = closed.values[0] if closed.values else self.total_usd
        return now - first_usd if (ms - first_ms) * 2 >= over_s * 1000 else None

    def _at(self, ms: int) -> float | None:
        if self.open_index and self._end_ms() <= ms:
            return self.total_usd
        return self.minutes.at(ms)

    def _end_ms(self) -> int:
        return (self.open_index + 1) * _MINUTE_MS


class Reading(msgspec.Struct, array_like=True, gc=False):
    """One venue's open interest, and the variance per second of its log changes."""

    coins: float
    usd: float
    comparable_since_ms: int
    variance: float


class InterestHistory(msgspec.Struct):
    """Open interest, venue by venue."""

    venues: dict[str, History[Reading]] = msgspec.field(default_factory=dict)

    def add(self, event: OpenInterest) -> None:
        """Keep a reading, and learn from it how much its venue usually changes."""
        coins, usd = event.open_interest_coins, event.open_interest_usd
        if not (0 < coins < inf and 0 < usd < inf):
            return
        held = self.venues.get(event.exchange)
        if held is None:
            held = self.venues[event.exchange] = History(_READINGS)
        variance = 0.0
        if held.values:
            before, passed_s = held.values[-1], (event.ts_recv_ms - held.times[-1]) / 1000
            variance = before.variance
            if before.coins > 0 and passed_s > 0:
                change = log(coins / before.coins)
                rate = min(change * change / passed_s, 1e-4)
                variance += (rate - variance) * (1 / 60 if variance else 1.0)
        held.add(event.ts_recv_ms, Reading(coins, usd, event.comparable_since_ms, variance))

    def usd(self, ms: int, leave_out: Collection[str]) -> float | None:
        """Return the open interest of the fresh venues, some left out; None if none is left."""
        total = 0.0
        for exchange, held in self.venues.items():
            last = held.place(ms)
            if last >= 0 and ms - held.times[last] <= _FRESH_MS and exchange not in leave_out:
                total += held.values[last].usd
        return total or None

    def move(self, ms: int, over_s: int) -> Move | None:
        """Return the change in coins over the venues that are fresh and comparable at both ends."""
        then = now = variance = 0.0
        for held in self.venues.values():
            ends = _ends(held, ms, over_s * 1000)
            if ends is not None:
                then, now = then + ends[0].coins, now + ends[1].coins
                variance += ends[1].variance * ends[1].coins ** 2
        if then <= 0 or now <= 0:
            return None
        return Move(log(now / then), sqrt(variance * over_s) / now)


class Market(msgspec.Struct):
    """What one coin's market was like lately: price, volume by venue, open interest."""

    prices: Prices = msgspec.field(default_factory=Prices)
    traded: dict[str, Traded] = msgspec.field(default_factory=dict)
    interest: InterestHistory = msgspec.field(default_factory=InterestHistory)

    def on_bar(self, bar: Bar) -> bool:
        """Count a bar; return False, counting nothing, if it is a repeat."""
        traded = self.traded.get(bar.exchange)
        if traded is None:
            traded = self.traded[bar.exchange] = Traded()
        if not traded.is_new(bar.ts_event_ms // 1000):
            return False
        self.prices.add(bar)
        traded.add(bar.ts_recv_ms, bar.notional_usd + bar.late_notional_usd)
        return True

    def on_reading(self, event: OpenInterest) -> None:
        """Keep a reading."""
        self.interest.add(event)


def _ends(held: History[Reading], ms: int, over_ms: int) -> tuple[Reading, Reading] | None:
    times = held.times
    last = held.place(ms)
    if last < 0 or ms - times[last] > _FRESH_MS:
        return None
    first = held.place(ms - over_ms)
    if first < 0 or ms - over_ms - times[first] > over_ms * _TOLERANCE + _MINUTE_MS:
        return None
    now = held.values[last]
    return (held.values[first], now) if times[first] >= now.comparable_since_ms else None
