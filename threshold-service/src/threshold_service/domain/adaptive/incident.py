"""A cascade's course: it builds up, is confirmed, fades and ends, and never goes back.

Prints move it forward to BUILDING and CONFIRMED. Silence brings no prints, so it is left to a
topic that goes on all the time, the bars, to tell of FADING and ENDED. A `Course` says when they
are due: its sums decay in a known way.
"""

from bisect import bisect_left
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from foreshock_schemas.events import Coverage, IncidentState, Liquidation
from foreshock_schemas.ids import derived_id
from threshold_service.domain.adaptive.pressure import Pressure

FADED_SHARE: Final = 0.1
SILENT_MS: Final = 60_000
"""A cascade fades once its sum over 60 s is down to a tenth of its peak, or no print has come for
60 s. It has ended once that sum has been below a basis point of open interest for 60 s."""

HISTORY: Final = 300
"""Versions kept: one for each second with prints, until they have been read."""


class Course(msgspec.Struct, kw_only=True):
    """One run of prints of one side, from the first one after silence to the next silence.

    It is an incident once it has a state, and `told` once a signal said so; `limit_usd` is what
    it had to reach for that. Its prints lie from `since_offset` to `last_offset`. `fades_ms` and
    `ends_ms` are when it fades and ends if no further print comes.
    """

    first_id: str
    since_offset: int
    last_offset: int
    begun_ms: int
    received_ms: int
    unit_usd: float
    state: Literal["BUILDING", "CONFIRMED"] | None = None
    told: bool = False
    faded: bool = False
    faded_usd: float = 0.0
    faded_ms: int = 0
    prints: float = 0.0
    largest_usd: float = 0.0
    limit_usd: float = 0.0
    peak_usd: float = 0.0
    fades_ms: int = 0
    ends_ms: int = 0
    price: float | None = None
    venues_usd: dict[str, float] = {}
    coverages: dict[str, Coverage] = {}

    @property
    def incident_id(self) -> str:
        """The id of the incident, the same in each of its states."""
        return derived_id("incident", "cascade", self.first_id)

    @property
    def total_usd(self) -> float:
        """All that was liquidated in it, as far as was seen."""
        return sum(self.venues_usd.values())

    def become(self, state: Literal["BUILDING", "CONFIRMED"]) -> None:
        """Enter a state; the peak is counted from the first state on."""
        if self.state is None:
            self.peak_usd = 0.0
        self.state = state

    def fade(self, pressure: Pressure) -> None:
        """Take note that it has faded; what the sum holds now belongs to the wave that is over."""
        self.faded, self.faded_usd, self.faded_ms = True, pressure.usd_60, pressure.at_ms

    def fresh_usd(self, pressure: Pressure) -> float:
        """Return the sum over 60 s of what has come since it faded."""
        return pressure.usd_60 - pressure.left_of(self.faded_usd, self.faded_ms)

    def count(self, event: Liquidation, offset: int, orders: float, received_ms: int) -> None:
        """Count a print in the totals."""
        self.received_ms, self.last_offset = received_ms, offset
        self.prints += orders
        usd, exchange = event.notional_usd, event.exchange
        if usd > self.largest_usd:
            self.largest_usd = usd
        self.venues_usd[exchange] = self.venues_usd.get(exchange, 0.0) + usd
        self.coverages[exchange] = event.coverage
        if event.price > 0:
            self.price = event.price

    def foresee(self, pressure: Pressure) -> None:
        """Say when it fades and ends, from the sums after a print."""
        now_usd = pressure.usd_60
        if now_usd >= self.unit_usd:
            self.ends_ms = pressure.falls_to(self.unit_usd) + SILENT_MS
        elif not self.ends_ms:
            self.ends_ms = pressure.at_ms + SILENT_MS
        if self.state is None:
            return
        self.peak_usd = max(self.peak_usd, now_usd)
        if not self.faded:
            low_ms = pressure.falls_to(self.peak_usd * FADED_SHARE)
            self.fades_ms = min(low_ms, self.received_ms + SILENT_MS)

    def copy(self) -> "Course":
        """Return it as it is now."""
        return replace(self, venues_usd=dict(self.venues_usd), coverages=dict(self.coverages))


class Versions(msgspec.Struct):
    """What an incident looked like at the end of each second in which prints came.

    Bars are asked about a time 30 s ago, when the course may have been another.
    """

    kept: list[Course] = []

    def put(self, course: Course) -> None:
        """Keep a course as it is at the end of its second."""
        self.kept.append(course.copy())
        del self.kept[:-HISTORY]

    def read(self, before_ms: int) -> Course | None:
        """Return the last version received before a full second, and drop those before it."""
        found = bisect_left(self.kept, before_ms, key=lambda each: each.received_ms)
        del self.kept[: max(0, found - 1)]
        return self.kept[0] if found else None


class Closing(msgspec.Struct):
    """What was told of an incident's end, and by which version of its course."""

    course: Course | None = None
    told: Literal["FADING", "ENDED"] | None = None

    def due(
        self, versions: Versions, course: Course | None, before_ms: int
    ) -> tuple[Course, IncidentState] | None:
        """Return what is to be told, once, by what was received before a full second.

        The beginning of another incident ends the one before it.
        """
        version = self._read(versions, course, before_ms)
        if version is None:
            return None
        last, self.course = self.course, version
        if last is not None and last.first_id != version.first_id:
            open_still = last.told and self.told != "ENDED"
            self.told = None
            if open_still:
                return last, "ENDED"
        step = self._step(version, before_ms)
        if step is None:
            return None
        self.told = step
        return version, step

    def _read(self, versions: Versions, course: Course | None, before_ms: int) -> Course | None:
        # The course as it is, if no print has come since; else the version of that time
        if course is None or course.state is None or course.received_ms >= before_ms:
            return versions.read(before_ms) if versions.kept else None
        versions.kept.clear()
        last = self.course
        if last is None or last.first_id != course.first_id:
            return course.copy()
        known = self.told == "ENDED" or last.received_ms == course.received_ms
        return last if known else course.copy()

    def _step(self, course: Course, now_ms: int) -> Literal["FADING", "ENDED"] | None:
        if not course.told or self.told == "ENDED":
            return None
        if now_ms >= course.ends_ms:
            return "ENDED"
        fades = course.faded or now_ms >= course.fades_ms
        return "FADING" if fades and self.told is None else None
