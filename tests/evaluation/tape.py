"""What a run's events said, kept small, for labels and baselines once the run is over."""

from collections import defaultdict
from math import fsum
from typing import NamedTuple

from foreshock_schemas.events import (
    Bar,
    Event,
    Liquidation,
    MarketStats,
    OpenInterest,
    Position,
    Threshold,
)
from threshold_service.domain.limits import Limits
from threshold_service.domain.rules.readings import Readings
from threshold_service.domain.surroundings import SETTLED_MS


class Print(NamedTuple):
    """A liquidation; `ms` is its event time."""

    ms: int
    usd: float
    position: Position
    price: float


class Change(NamedTuple):
    """A change of open interest within 15 min: percent of coins without sign, and USD now.

    Over the venues that are fresh at both ends.
    """

    ms: int
    pct: float
    usd: float


class Coin:
    """One coin's volume by second, liquidations and open interest."""

    def __init__(self) -> None:
        self.seconds: defaultdict[int, float] = defaultdict(float)
        self.prints: list[Print] = []
        self.changes: list[Change] = []
        self.interest: list[tuple[int, float, float]] = []
        self._venues: dict[tuple[str, str], Readings] = {}

    def on_reading(self, event: OpenInterest) -> None:
        """Keep the total over all venues, in coins and USD, and its change over 15 min."""
        venue = (event.exchange, event.symbol)
        readings = self._venues.setdefault(venue, Readings())
        readings.add(event)
        now_ms = event.ts_event_ms
        fresh = [each.latest for each in self._venues.values() if each.latest is not None]
        coins = fsum(each.open_interest_coins for each in fresh)
        usd = fsum(each.open_interest_usd for each in fresh)
        self.interest.append((now_ms, coins, usd))
        ends = [
            (then, now)
            for each in self._venues.values()
            if (now := each.fresh(now_ms)) and (then := each.before(now_ms))
        ]
        before = fsum(then.open_interest_coins for then, _ in ends)
        if before > 0:
            after = fsum(now.open_interest_coins for _, now in ends)
            usd = fsum(now.open_interest_usd for _, now in ends)
            self.changes.append(Change(now_ms, abs(after / before - 1) * 100, usd))


class Tape:
    """Takes every event of a run in the order of its receipt."""

    def __init__(self) -> None:
        self.coins: defaultdict[str, Coin] = defaultdict(Coin)
        self._limits: dict[str, Limits] = {}
        self._first: dict[str, Limits] = {}

    def on_event(self, event: Event) -> None:
        """Keep what labels and baselines need of it."""
        if isinstance(event, Bar):
            usd = event.notional_usd + event.late_notional_usd
            if usd:
                self.coins[event.coin].seconds[event.ts_event_ms // 1000] += usd
        elif isinstance(event, Liquidation):
            self.coins[event.coin].prints.append(
                Print(event.ts_event_ms, event.notional_usd, event.position, event.price)
            )
        elif isinstance(event, OpenInterest):
            self.coins[event.coin].on_reading(event)
        elif isinstance(event, MarketStats):
            self._on_stats(event)

    def prd(self, coin: str, ms: int) -> Threshold:
        """Return the limits of the original requirements as they held then."""
        return self._of(self._limits, coin).at(ms - SETTLED_MS, dynamic=True)

    def fixed(self, coin: str) -> Threshold:
        """Return the original constants; the volume's from the first daily volume known."""
        return self._of(self._first, coin).at(0, dynamic=False)

    def _on_stats(self, stats: MarketStats) -> None:
        self._of(self._limits, stats.coin).on_stats(stats, dynamic=True)
        if stats.avg_daily_volume_usd is not None and stats.coin not in self._first:
            self._of(self._first, stats.coin).on_stats(stats, dynamic=True)

    @staticmethod
    def _of(limits: dict[str, Limits], coin: str) -> Limits:
        return limits.setdefault(coin, Limits(coin))
