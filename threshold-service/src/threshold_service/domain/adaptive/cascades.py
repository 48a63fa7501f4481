"""Liquidation cascades as incidents: one side of a coin closed by force, faster and faster."""

from math import exp, log
from typing import Final

import msgspec

from foreshock_schemas.events import Coverage, Liquidation, Position
from threshold_service.domain.adaptive import cascade_finding
from threshold_service.domain.adaptive.budget import IDLE_MS, Budget
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.incident import Course
from threshold_service.domain.adaptive.recent import credible
from threshold_service.domain.adaptive.sides import (
    BUILDING_BP,
    BUILDING_PRINTS,
    CONFIRMED_PRINTS,
    CORROBORATED_BP,
    FEW_PRINTS,
    FEW_TIMES,
    INTEREST_S,
    PRICE_S,
    Side,
    Signs,
    Unit,
)
from threshold_service.domain.surroundings import SETTLED_MS, Surroundings

SLICES: Final = 6
SLICE_MS: Final = 10_000


class Minute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a feed that gives only totals says of one side's minute; `end_ms` is its end."""

    event_id: str
    exchange: str
    position: Position
    end_ms: int
    notional_usd: float
    prints: int
    coverage: Coverage


class Cascades(msgspec.Struct):
    """One coin's cascades. The budget pays for BUILDING; CONFIRMED is told whatever it says.

    Where nothing may be said, prints are counted and no state is entered. But the end of a
    cascade that was told is told all the same, so that no incident stays open.

    Prints alone decide on BUILDING and CONFIRMED, and on where a run ends, by their own clock.
    Bars decide when FADING and ENDED are told, and prints never look at what bars decided: so a
    race between the two topics changes nothing. `asked_ms` is the second that bars have come to,
    `closed_ms` the one up to which all that they decide was told.
    """

    long: Side = msgspec.field(default_factory=lambda: Side(position="long"))
    short: Side = msgspec.field(default_factory=lambda: Side(position="short"))
    unit: Unit = msgspec.field(default_factory=Unit)
    budget: Budget = msgspec.field(default_factory=lambda: Budget(threshold=0.0, least=0.0))
    asked_ms: int = 0
    closed_ms: int = 0

    def on_liquidation(
        self, event: Liquidation, offset: int, around: Surroundings
    ) -> Finding | None:
        """Count a liquidation; return what is to be told of the cascade that it belongs to."""
        side = self._side_at(event, around)
        orders = side.pressure.orders_in(event.exchange, event.ts_event_ms)
        course = side.add(event, offset, orders, self.unit)
        return None if course is None else self._judge(side, course, around)

    def on_minute(self, minute: Minute, offset: int, around: Surroundings) -> Finding | None:
        """Count a minute's total as if it had come evenly; for feeds that give no prints.

        Nothing calls it yet: each exchange that Foreshock follows shows prints, or nothing. Feeds
        of totals are the liquidation histories of aggregators, in steps of a minute at best
        (https://docs.coinglass.com/reference/aggregated-liquidation-history,
        https://api.coinalyze.net/v1/doc/), once they count the liquidations, too; and recordings
        by the minute.
        """
        event = _slice(minute, 1)
        if minute.prints <= 0 or not credible(event):
            return None
        side, course = self._side_at(event, around), None
        for number in range(1, SLICES + 1):
            event = _slice(minute, number)
            course = side.add(event, offset, minute.prints / SLICES, self.unit)
            if course is not None:
                course.foresee(side.pressure)
        return None if course is None else self._judge(side, course, around)

    def on_time(self, now_ms: int, offset: int, around: Surroundings) -> Finding | None:
        """Return that a cascade fades or has ended, if that was so 30 s before `now_ms`.

        Where both sides have something to tell, the next call returns the second.
        """
        asked_ms = (now_ms - SETTLED_MS) // 1000 * 1000
        if asked_ms <= self.closed_ms:
            return None
        self.asked_ms = max(self.asked_ms, asked_ms)
        for side in (self.long, self.short):
            if side.course is None:
                continue
            due = side.closing.due(side.versions, side.course, self.asked_ms)
            if due is not None:
                return cascade_finding.closing(around.threshold.coin, side.position, *due, offset)
        self.closed_ms = self.asked_ms
        return None

    def _side_at(self, event: Liquidation, around: Surroundings) -> Side:
        side = self.long if event.position == "long" else self.short
        if event.ts_recv_ms > side.clock_ms:
            side.clock_ms = event.ts_recv_ms
        self.unit.review(side.clock_ms, around)
        return side

    def _judge(self, side: Side, course: Course, around: Surroundings) -> Finding | None:
        enough = side.pressure.usd_60 >= self.unit.at(CORROBORATED_BP)
        if enough or side.clock_ms - self.budget.judged_ms >= IDLE_MS:
            self.budget.pass_time(side.clock_ms, around.budget("cascade"))
        finding = None
        if enough and around.dynamic and (course.state != "CONFIRMED" or course.faded):
            signs = Signs(
                interest=around.interest_move(INTEREST_S), price=around.price_move(PRICE_S)
            )
            confirmed = _confirms(side, self.unit, signs)
            if confirmed and course.faded:
                confirmed = _revives(side, course, self.unit, signs)
                course = (side.follow() if confirmed else None) or course
            finding = self._grow(side, course, signs, around, confirmed=confirmed)
        course.foresee(side.pressure)
        return finding

    def _grow(
        self, side: Side, course: Course, signs: Signs, around: Surroundings, *, confirmed: bool
    ) -> Finding | None:
        if confirmed:
            if course.state == "CONFIRMED":
                return None
            course.become("CONFIRMED")
            return self._tell(side, course, signs, signs.least_bp(side.position), held_back=0)
        usd = side.pressure.usd_30
        builds = usd >= self.unit.at(BUILDING_BP) and side.pressure.prints >= BUILDING_PRINTS
        if not builds or course.told or course.faded:
            return None
        course.become("BUILDING")
        limit = self.budget.limit
        score = log(usd / (BUILDING_BP * self.unit.usd))
        if self.budget.judge(score, side.clock_ms, around.budget("cascade")) != "fire":
            return None
        limit_bp = BUILDING_BP * exp(limit)
        return self._tell(side, course, signs, limit_bp, held_back=self.budget.held_back)

    def _tell(
        self, side: Side, course: Course, signs: Signs, limit_bp: float, *, held_back: int
    ) -> Finding:
        course.told, course.limit_usd = True, self.unit.at(limit_bp)
        return cascade_finding.growing(side, course, self.unit, signs, limit_bp, held_back)


def _confirms(side: Side, unit: Unit, signs: Signs) -> bool:
    pressure = side.pressure
    times = pressure.usd_60 / unit.at(signs.least_bp(side.position))
    return times >= 1 and pressure.prints >= (
        FEW_PRINTS if times >= FEW_TIMES else CONFIRMED_PRINTS
    )


def _revives(side: Side, course: Course, unit: Unit, signs: Signs) -> bool:
    """Whether a wave after the fading is an incident of its own: states never go back."""
    enough_usd = unit.at(signs.least_bp(side.position))
    return course.fresh_usd(side.pressure) >= enough_usd


def _slice(minute: Minute, number: int) -> Liquidation:
    return Liquidation(
        event_id=minute.event_id,
        ts_event_ms=minute.end_ms - (SLICES - number) * SLICE_MS,
        ts_recv_ms=minute.end_ms,
        exchange=minute.exchange,
        symbol="",
        coin="",
        position=minute.position,
        price=0.0,
        size_coins=0.0,
        notional_usd=minute.notional_usd / SLICES,
        coverage=minute.coverage,
    )
