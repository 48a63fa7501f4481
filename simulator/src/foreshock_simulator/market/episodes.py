"""When one venue or another is in trouble."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from numpy.random import Generator

from foreshock_simulator.market.shock import Pace


class Episode(msgspec.Struct, frozen=True):
    """One venue's trouble, in seconds since the market began."""

    venue: str
    start_s: float
    end_s: float


def now_and_then(
    venues: Sequence[str], lasts_min: tuple[float, float], pace: Pace, rng: Generator
) -> Iterator[Episode]:
    """Yield troubles of so many minutes at one venue after the other, as shocks would come."""
    at_s = pace.first_s
    while True:
        end_s = at_s + 60 * float(rng.uniform(*lasts_min))
        if pace.span_s is not None and end_s > pace.span_s:
            return
        yield Episode(str(rng.choice(list(venues))), at_s, end_s)
        at_s = end_s + float(rng.uniform(*pace.between_s))


def during(episodes: Iterable[Episode], venue: str, at_s: float) -> Episode | None:
    """Return the episode of a venue at a time, if there is one."""
    return next((e for e in episodes if e.venue == venue and e.start_s <= at_s < e.end_s), None)
