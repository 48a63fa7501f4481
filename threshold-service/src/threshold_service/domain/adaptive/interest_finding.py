"""The words and numbers that tell of open interest that rises or falls faster than usual."""

from math import expm1
from typing import Final, Literal

import msgspec

from foreshock_schemas.events import Factor, OpenInterest, Position, Severity
from threshold_service.domain import wording
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.horizons import MINUTES, Change
from threshold_service.domain.surroundings import Surroundings

CRITICAL_TIMES: Final = 6.0
WARNING_TIMES: Final = 3.0
"""How large a change is for its severity, in multiples of the floor."""

_SUDDEN: Final = "within a minute: its deviation counts half, as a single order can make it"


class Move(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A change beyond its floor (a share), and how far out of the usual it is.

    `venues` has each venue's share of the change, the largest first.
    """

    change: Change
    z: float
    score: float
    floor: float
    venues: tuple[tuple[str, float], ...] = ()
    single_venue: bool = False

    @property
    def times(self) -> float:
        """The change as a multiple of its floor."""
        return abs(self.change.share) / self.floor


class Limit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the score had to exceed, and the change in percent that this comes to."""

    score: float
    pct: float
    held_back: int


def finding(
    move: Move,
    limit: Limit,
    usual_pct: float,
    since_offset: int,
    event: OpenInterest,
    around: Surroundings,
) -> Finding:
    """Return that open interest rises or falls faster than usual."""
    change, coin = move.change, around.threshold.coin
    pct, minutes = change.share * 100, change.minutes
    way = "rose" if pct > 0 else "fell"
    meaning, position, direction = _reading_of(move, around)
    where = f" on {move.venues[0][0]} alone" if move.single_venue else ""
    price = event.mark_price if event.mark_price > 0 else None
    now_usd = f" to {wording.dollars(change.now * price)}" if price else ""
    return Finding(
        kind="oi_explosion",
        name=f"{way}:single-venue" if move.single_venue else way,
        severity=_severity(move),
        headline=(
            f"{coin}: open interest {way} {abs(pct):.1f} % in {minutes} min{where}{now_usd} "
            f"(limit {limit.pct:.1f} %)"
        ),
        reasons=(
            *meaning,
            f"{change.then:,.6g} to {change.now:,.6g} {coin}: {_shares(move)}",
            f"usual within {minutes} min, at this hour or of late: {usual_pct:.2f} %",
            *([_SUDDEN] if minutes == MINUTES[0] else []),
            *(["single-venue: no other venue agrees"] if move.single_venue else []),
        ),
        value=abs(pct),
        limit=limit.pct,
        unit="pct",
        window_s=minutes * 60,
        since_offset=since_offset,
        baseline=usual_pct,
        score=move.score,
        score_limit=limit.score,
        factors=_factors(move),
        held_back=limit.held_back,
        price=price,
        exchanges=tuple(sorted(venue for venue, _ in move.venues)),
        coverage="full",
        position=position,
        direction=direction,
    )


def _severity(move: Move) -> Severity:
    if move.times >= CRITICAL_TIMES:
        return "critical"
    return "warning" if move.times >= WARNING_TIMES else "info"


def _shares(move: Move) -> str:
    return ", ".join(f"{venue} {share:+.0%} of it" for venue, share in move.venues)


def _factors(move: Move) -> tuple[Factor, ...]:
    """Each venue's part: percent of all open interest, and its share of the score."""
    pct = move.change.share * 100
    return (
        *(
            Factor(name=f"change_pct:{venue}", value=pct * share, contribution=move.score * share)
            for venue, share in move.venues
        ),
        Factor(name="robust_z", value=move.z, contribution=0.0),
    )


def _reading_of(
    move: Move, around: Surroundings
) -> tuple[tuple[str, ...], Position | None, Literal["up", "down"] | None]:
    price = around.price_move(move.change.minutes * 60)
    if price is None or not price.change:
        return (), None, None
    meaning, position = wording.QUADRANTS[move.change.share > 0, price.change > 0]
    reason = f"price {expm1(price.change) * 100:+.2f} % meanwhile: {meaning}"
    return (reason,), position, "up" if price.change > 0 else "down"
