"""The words and numbers that tell of a cascade, in each of its states."""

from collections.abc import Iterable
from typing import Final, Literal

from foreshock_schemas.events import Factor, IncidentState, Position, Severity
from threshold_service.domain import wording
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.incident import Course
from threshold_service.domain.adaptive.sides import Side, Signs, Unit
from threshold_service.domain.surroundings import Move

CRITICAL_BP: Final = 16.0
"""Basis points from which a confirmed cascade is critical; one whose signs agree always is."""

_WAY: Final[dict[Position, Literal["up", "down"]]] = {"long": "down", "short": "up"}


def growing(
    side: Side,
    course: Course,
    unit: Unit,
    signs: Signs,
    limit_bp: float,
    held_back: int,
) -> Finding:
    """Return that a cascade builds up, or is confirmed."""
    state = course.state or "BUILDING"
    confirmed = state == "CONFIRMED"
    window_s, usd = (60, side.pressure.usd_60) if confirmed else (30, side.pressure.usd_30)
    usd = min(usd, course.total_usd)
    position = side.position
    coverage = wording.coverage_of(course.coverages.values())
    what = f"a cascade of {position}s" if confirmed else f"a cascade of {position}s builds up"
    basis_points = usd / unit.usd
    return Finding(
        kind="cascade",
        name=f"{position}:{state}",
        severity=_severity(state, basis_points, signs, position),
        headline=(
            f"{unit.coin}: {what}, {wording.floor_word(coverage)}{wording.dollars(usd)} "
            f"liquidated in about {window_s} s ({unit.words(basis_points)})"
        ),
        reasons=(
            _prints(course),
            unit.limit_words(limit_bp),
            *(_words(*move) for move in signs.agreeing(position)),
        ),
        value=usd,
        limit=unit.at(limit_bp),
        unit="usd",
        window_s=window_s,
        since_offset=course.since_offset,
        baseline=None,
        score=basis_points,
        score_limit=limit_bp,
        factors=(
            *_factors(course, basis_points, signs.moves),
            Factor(name="in about 15 s, usd", value=side.pressure.usd_15, contribution=0.0),
        ),
        held_back=held_back,
        price=course.price,
        exchanges=tuple(sorted(course.venues_usd)),
        coverage=coverage,
        position=position,
        direction=_WAY[position],
        incident_id=course.incident_id,
        incident_state=state,
        continuation=side.continuation,
    )


def closing(
    coin: str, position: Position, course: Course, state: IncidentState, offset: int
) -> Finding:
    """Return that a cascade fades, or has ended; value and limit are those of its peak."""
    coverage = wording.coverage_of(course.coverages.values())
    total = f"{wording.floor_word(coverage)}{wording.dollars(course.total_usd)} liquidated"
    lasted = wording.duration((course.received_ms - course.begun_ms) / 1000)
    what = "fades" if state == "FADING" else "has ended"
    return Finding(
        kind="cascade",
        name=f"{position}:{state}:{course.incident_id}",
        severity="info",
        headline=f"{coin}: the cascade of {position}s {what}, {total} in {lasted}",
        reasons=(
            _prints(course),
            f"{wording.dollars(course.peak_usd)} within about 60 s at its peak",
        ),
        value=course.peak_usd,
        limit=course.limit_usd,
        unit="usd",
        window_s=60,
        since_offset=offset,
        prints=(course.since_offset, course.last_offset),
        baseline=None,
        score=None,
        score_limit=None,
        factors=_factors(course, 0.0, ()),
        held_back=0,
        price=course.price,
        exchanges=tuple(sorted(course.venues_usd)),
        coverage=coverage,
        position=position,
        direction=_WAY[position],
        incident_id=course.incident_id,
        incident_state=state,
    )


def _severity(
    state: IncidentState, basis_points: float, signs: Signs, position: Position
) -> Severity:
    grave = basis_points >= CRITICAL_BP or bool(signs.agreeing(position))
    return "critical" if state == "CONFIRMED" and grave else "warning"


def _prints(course: Course) -> str:
    total_usd = course.total_usd
    shares = sorted(course.venues_usd.items(), key=lambda each: (-each[1], each[0]))
    where = ", ".join(f"{venue} {usd / total_usd:.0%}" for venue, usd in shares)
    return (
        f"{course.prints:.0f} liquidation{'s' if course.prints > 1 else ''}, "
        f"{wording.dollars(total_usd)} in all, "
        f"the largest {wording.dollars(course.largest_usd)}: {where}"
    )


def _words(name: str, move: Move, over_s: int) -> str:
    return (
        f"{name} {move.change * 100:+.2f} % in {over_s // 60} min "
        f"({move.sigmas:+.1f} usual deviations)"
    )


def _factors(
    course: Course, basis_points: float, moves: Iterable[tuple[str, Move, int]]
) -> tuple[Factor, ...]:
    """Each venue's part in the score, and what else was looked at."""
    per_usd = basis_points / course.total_usd
    venues = [
        Factor(name=f"liquidated_usd:{venue}", value=usd, contribution=usd * per_usd)
        for venue, usd in sorted(course.venues_usd.items())
    ]
    others = [
        ("orders", course.prints),
        ("largest_usd", course.largest_usd),
        *((f"{name}, deviations in {over_s} s", move.sigmas) for name, move, over_s in moves),
    ]
    return (*venues, *(Factor(name=name, value=value, contribution=0.0) for name, value in others))
