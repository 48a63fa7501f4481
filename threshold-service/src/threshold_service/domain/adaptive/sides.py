"""One side of one coin's liquidations: what a cascade must reach, and in which unit."""

from typing import Final

import msgspec

from foreshock_schemas.events import Liquidation, Position
from threshold_service.domain import wording
from threshold_service.domain.adaptive.continuation import Intensities
from threshold_service.domain.adaptive.incident import Closing, Course, Versions
from threshold_service.domain.adaptive.pressure import Pressure
from threshold_service.domain.surroundings import LIQUIDATED_USD, Move, Surroundings

BUILDING_BP: Final = 4.0
"""Basis points of open interest that the sum over 30 s must reach for BUILDING."""

CONFIRMED_BP: Final = 8.0
"""The same of the sum over 60 s, for CONFIRMED."""

CORROBORATED_BP: Final = 4.0
"""Enough for CONFIRMED where open interest falls or the price moves as in a cascade."""

BUILDING_PRINTS: Final = 5.0
CONFIRMED_PRINTS: Final = 3.0
"""Orders that the sum must consist of: one alone is a large liquidation, no cascade."""

FEW_PRINTS: Final = 1.5
FEW_TIMES: Final = 4.0
"""At so many times the limit two orders are enough (1.5 after decay): a sampled feed shows no more
than one a second."""

CORROBORATING_SIGMAS: Final = 3.0
"""How many usual deviations open interest or price must move to agree with a cascade."""

INTEREST_S: Final = 300
PRICE_S: Final = 180

_FLOOR_SHARE: Final = 0.1
"""Of the original limit of a single liquidation: less is no cascade."""

_REVIEW_MS: Final = 1_000


class Unit(msgspec.Struct, kw_only=True):
    """What sums are measured in: a basis point of open interest in USD, and the floor.

    Where open interest is not `known`, the original requirements' cascade limit stands for
    `CONFIRMED_BP` basis points.
    """

    usd: float = 1.0
    floor_usd: float = LIQUIDATED_USD
    known: bool = False
    coin: str = ""
    read_ms: int = 0

    def review(self, now_ms: int, around: Surroundings) -> None:
        """Read open interest and limits anew, once a second."""
        if now_ms - self.read_ms < _REVIEW_MS:
            return
        self.read_ms = now_ms
        threshold, interest_usd = around.threshold, around.interest_usd()
        self.known = interest_usd is not None and interest_usd > 0
        self.usd = interest_usd / 1e4 if interest_usd else threshold.cascade_usd / CONFIRMED_BP
        self.floor_usd = max(_FLOOR_SHARE * threshold.single_liquidation_usd, LIQUIDATED_USD)
        self.coin = threshold.coin

    def at(self, basis_points: float) -> float:
        """Return so many basis points in USD, at least the floor."""
        return max(basis_points * self.usd, self.floor_usd)

    def words(self, basis_points: float) -> str:
        """Return so many basis points in words."""
        if self.known:
            return f"{basis_points:.1f} bp of open interest"
        share = basis_points / CONFIRMED_BP
        return f"{share:.0%} of the cascade limit, for open interest is not known"

    def limit_words(self, basis_points: float) -> str:
        """Return what must be reached in words: so many basis points, or the floor above them."""
        limit_usd, why = self.at(basis_points), self.words(basis_points)
        if limit_usd > basis_points * self.usd:
            why = f"the least for this coin, more than {why}"
        return f"limit {wording.dollars(limit_usd)}, {why}"


class Signs(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What else moved meanwhile: open interest over 5 min, the price over 3 min."""

    interest: Move | None
    price: Move | None

    @property
    def moves(self) -> tuple[tuple[str, Move, int], ...]:
        """The moves that are known: name, move, seconds."""
        every = (("open interest", self.interest, INTEREST_S), ("price", self.price, PRICE_S))
        return tuple((name, move, over_s) for name, move, over_s in every if move is not None)

    def least_bp(self, position: Position) -> float:
        """Return the basis points that a cascade must reach to be confirmed."""
        return CORROBORATED_BP if self.agreeing(position) else CONFIRMED_BP

    def agreeing(self, position: Position) -> tuple[tuple[str, Move, int], ...]:
        """Return those that moved as in a cascade of this side."""
        ways = {"open interest": -1, "price": -1 if position == "long" else 1}
        return tuple(
            each for each in self.moves if ways[each[0]] * each[1].sigmas > CORROBORATING_SIGMAS
        )


class Side(msgspec.Struct, kw_only=True):
    """How fast one side's prints come, the run that they are in, and what was told of it.

    Once a run has faded, `following` counts what has come since: the incident that a new wave would
    be if it is large enough by itself.
    """

    position: Position
    clock_ms: int = 0
    pressure: Pressure = msgspec.field(default_factory=Pressure)
    intensities: Intensities = msgspec.field(default_factory=Intensities)
    course: Course | None = None
    following: Course | None = None
    versions: Versions = msgspec.field(default_factory=Versions)
    closing: Closing = msgspec.field(default_factory=Closing)

    def add(self, event: Liquidation, offset: int, orders: float, unit: Unit) -> Course | None:
        """Count a print that stands for `orders` orders, and return its run.

        None if it comes so late that it counts in totals only.
        """
        course = self.course
        if course is not None and course.state is not None:
            self._pass_time(course)
        in_time = self.pressure.add(event.ts_event_ms, event.notional_usd, orders)
        if in_time:
            if orders > 0:
                self.intensities.add(self.pressure.at_ms, event.notional_usd, orders)
            if course is None or self.clock_ms >= course.ends_ms:
                course, self.following = self._begun(event, offset, unit), None
                self.course = course
            elif course.faded and self.following is None:
                self.following = self._begun(event, offset, unit)
            course.unit_usd = unit.usd
        if course is not None:
            course.count(event, offset, orders, self.clock_ms)
        if self.following is not None:
            self.following.count(event, offset, orders, self.clock_ms)
        return course if in_time else None

    def follow(self) -> Course | None:
        """Make what has come since the fading the current run."""
        self.course, self.following = self.following, None
        return self.course

    def _begun(self, event: Liquidation, offset: int, unit: Unit) -> Course:
        return Course(
            first_id=event.event_id,
            since_offset=offset,
            last_offset=offset,
            begun_ms=event.ts_event_ms,
            received_ms=self.clock_ms,
            unit_usd=unit.usd,
        )

    @property
    def continuation(self) -> float:
        """How likely the sum over 60 s is liquidated once more within five minutes."""
        usd, course = self.pressure.usd_60, self.course
        if course is None or course.prints <= 0:
            return 0.0
        return self.intensities.probability(usd, course.total_usd / course.prints)

    def _pass_time(self, course: Course) -> None:
        if self.clock_ms // 1000 != course.received_ms // 1000:
            self.versions.put(course)
        if not course.faded and self.clock_ms >= course.fades_ms:
            course.fade(self.pressure)
