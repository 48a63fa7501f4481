"""Liquidations that are large for their coin and side: one print, or a cluster within a second."""

from math import log
from typing import Final

import msgspec

from foreshock_schemas.events import Coverage, Factor, Liquidation, Position, Severity
from threshold_service.domain import wording
from threshold_service.domain.adaptive.budget import IDLE_MS, Budget
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.news import News
from threshold_service.domain.adaptive.rarity import Rarity
from threshold_service.domain.surroundings import FLOOR_SHARE, LIQUIDATED_USD, Surroundings

CLUSTER_MS: Final = 1_000
LATE_MS: Final = 60_000
"""A cluster that began longer ago counts among the sizes, but is no news any more."""

WARNING_DAYS: Final = 3.0
CRITICAL_DAYS: Final = 30.0
"""How rare a size must be for its severity: expected once in so many days."""

ORIGINAL_WARNING_TIMES: Final = 2.0
ORIGINAL_CRITICAL_TIMES: Final = 4.0
"""The same while sizes are still being learned, as multiples of the original limit."""

CRITICAL_GAP_MS: Final = 900_000


class Cluster(msgspec.Struct, kw_only=True):
    """Prints of one side within a second of the first, before or after, over all venues.

    Of a venue whose feed is sampled (one print a second) only the largest counts. `usd` is what
    was liquidated, as far as was seen.
    """

    start_ms: int
    since_offset: int
    usd: float = 0.0
    venues_usd: dict[str, float] = {}
    coverages: dict[str, Coverage] = {}
    prints: int = 0
    told: bool = False

    def add(self, event: Liquidation) -> None:
        """Count a print."""
        before_usd = self.venues_usd.get(event.exchange, 0.0)
        if event.coverage != "sampled":
            self.venues_usd[event.exchange] = before_usd + event.notional_usd
        elif event.notional_usd > before_usd:
            self.venues_usd[event.exchange] = event.notional_usd
        self.usd = sum(self.venues_usd.values())
        self.coverages[event.exchange] = event.coverage
        self.prints += 1


class SideSizes(msgspec.Struct):
    """One side's current cluster, and what its clusters were like so far."""

    rarity: Rarity = msgspec.field(default_factory=Rarity)
    cluster: Cluster | None = None
    critical: News = msgspec.field(default_factory=lambda: News(gap_ms=CRITICAL_GAP_MS))

    def add(self, event: Liquidation, offset: int) -> Cluster:
        """Count a print and return its cluster; one older than the current cluster has its own."""
        ms, cluster = event.ts_event_ms, self.cluster
        if cluster is not None and ms < cluster.start_ms - CLUSTER_MS:
            alone = Cluster(start_ms=ms, since_offset=offset)
            alone.add(event)
            self.rarity.add(alone.usd, ms)
            return alone
        if cluster is None or ms >= cluster.start_ms + CLUSTER_MS:
            if cluster is not None:
                self.rarity.add(cluster.usd, cluster.start_ms)
            cluster = self.cluster = Cluster(start_ms=ms, since_offset=offset)
        cluster.add(event)
        return cluster


class Sizes(msgspec.Struct):
    """Tells of large liquidations of one coin: out of the budget, or beside it if critical.

    Until a side's own sizes are known, the original limit of a single liquidation holds.
    """

    long: SideSizes = msgspec.field(default_factory=SideSizes)
    short: SideSizes = msgspec.field(default_factory=SideSizes)
    budget: Budget = msgspec.field(default_factory=Budget)
    warm: bool = False
    clock_ms: int = 0

    def on_liquidation(
        self, event: Liquidation, offset: int, around: Surroundings
    ) -> Finding | None:
        """Count a liquidation; return what is to be told of its cluster, once a cluster."""
        if event.ts_recv_ms > self.clock_ms:
            self.clock_ms = event.ts_recv_ms
        side = self.long if event.position == "long" else self.short
        cluster = side.add(event, offset)
        large = cluster.usd >= LIQUIDATED_USD
        if large or self.clock_ms - self.budget.judged_ms >= IDLE_MS:
            self.budget.pass_time(self.clock_ms, around.budget("liquidation"))
        if not large or cluster.told or self.clock_ms - cluster.start_ms > LATE_MS:
            return None
        return self._judge(side, cluster, event, around)

    def _judge(
        self, side: SideSizes, cluster: Cluster, event: Liquidation, around: Surroundings
    ) -> Finding | None:
        threshold, per_day = around.threshold, around.budget("liquidation")
        self._warm(side.rarity, per_day)
        measure = _Measure(side.rarity, threshold.single_liquidation_usd, self.budget.limit)
        usd = cluster.usd
        score = measure.score(usd) if usd >= measure.floor_usd else 0.0
        aloud = around.dynamic
        fires = self.budget.judge(score, self.clock_ms, per_day, aloud=aloud) == "fire"
        if not aloud:
            return None
        critical = usd >= measure.critical_usd and side.critical.is_new(usd, self.clock_ms)
        if not (fires or critical):
            return None
        if critical:
            side.critical.remember(usd, self.clock_ms)
        cluster.told = True
        return _finding(
            threshold.coin,
            cluster,
            event,
            measure,
            budgeted=fires,
            held_back=self.budget.held_back if fires else 0,
        )

    def _warm(self, rarity: Rarity, per_day: float) -> None:
        """Start at what a side's sizes exceed as often as half the budget, once a day is known."""
        if not self.warm and rarity.learned and rarity.days >= 1:
            self.warm = True
            self.budget.warm(rarity.often_z(per_day / 2))


class _Measure:
    """What a size is held against: the side's own sizes once learned, else the original limit."""

    __slots__ = ("critical_usd", "floor_usd", "limit", "limit_usd", "rarity", "warning_usd")

    def __init__(self, rarity: Rarity, single_usd: float, limit: float) -> None:
        self.rarity = rarity
        self.limit = limit
        self.floor_usd = max(FLOOR_SHARE * single_usd, LIQUIDATED_USD)
        if rarity.learned:
            self.limit_usd = max(rarity.size(limit), self.floor_usd)
            self.warning_usd = rarity.once_in(WARNING_DAYS)
            self.critical_usd = max(rarity.once_in(CRITICAL_DAYS), single_usd)
        else:
            self.limit_usd = max(single_usd, self.floor_usd)
            self.warning_usd = single_usd * ORIGINAL_WARNING_TIMES
            self.critical_usd = single_usd * ORIGINAL_CRITICAL_TIMES

    def score(self, usd: float) -> float:
        """Return robust standard deviations above the usual.

        While sizes are being learned: the logarithm of times the limit, on top of the score limit.
        """
        if self.rarity.learned:
            return self.rarity.z(usd)
        return self.limit + log(usd / self.limit_usd)

    def severity(self, usd: float) -> Severity:
        """Return how bad a size is."""
        if usd >= self.critical_usd:
            return "critical"
        return "warning" if usd >= self.warning_usd else "info"


def _finding(
    coin: str,
    cluster: Cluster,
    event: Liquidation,
    measure: _Measure,
    *,
    budgeted: bool,
    held_back: int,
) -> Finding:
    usd, position = cluster.usd, event.position
    limit_usd = measure.limit_usd if budgeted else measure.critical_usd
    score, coverage = measure.score(usd), wording.coverage_of(cluster.coverages.values())
    venues = tuple(sorted(cluster.venues_usd))
    number = "" if cluster.prints == 1 else f" in {cluster.prints} liquidations within a second"
    return Finding(
        kind="liquidation",
        name=position,
        severity=measure.severity(usd),
        headline=(
            f"{coin}: {wording.floor_word(coverage)}{wording.dollars(usd)} {position} liquidated"
            f"{number} on {', '.join(venues)} at {event.price:,.6g} "
            f"(limit {wording.dollars(limit_usd)})"
        ),
        reasons=(_how_rare(measure, usd, limit_usd, position),),
        value=usd,
        limit=limit_usd,
        unit="usd",
        window_s=0 if cluster.prints == 1 else CLUSTER_MS // 1000,
        since_offset=cluster.since_offset,
        baseline=measure.rarity.size(0.0) if measure.rarity.learned else None,
        score=score,
        score_limit=measure.limit,
        factors=tuple(
            Factor(name=f"liquidated_usd:{venue}", value=part, contribution=score * part / usd)
            for venue, part in sorted(cluster.venues_usd.items())
        ),
        held_back=held_back,
        price=event.price,
        exchanges=venues,
        coverage=coverage,
        position=position,
        direction="down" if position == "long" else "up",
    )


def _how_rare(measure: _Measure, usd: float, limit_usd: float, position: Position) -> str:
    rarity = measure.rarity
    if not rarity.learned:
        return f"{usd / limit_usd:.1f} x the limit; the usual sizes are still being learned"
    days = rarity.days_between(usd)
    often = f", expected once in {days:.1f} days" if days else ""
    return f"{usd / rarity.size(0.0):,.0f} x a usual liquidation of {position}s{often}"
