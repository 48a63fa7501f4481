"""The words and numbers that tell of a volume spike, and what they are made from."""

import math
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Factor, Severity, Threshold
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.wording import dollars, way_of

SAMPLE_S: Final = 10
"""How often scores are sampled: when the shortest window is over and another begins."""

_RARE: Final = 3e-4
"""A spike whose score a smaller share of samples reach is a warning: 2.6 samples a day."""

_MINUTES_A_DAY: Final = 1_440
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Spike(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A window's sums in cents, and how its score came about.

    `hour`, `minute` and `usual` are logarithms: what the profile expects above the level, and
    how far the window usually lies above what is expected; `sigma` is the standard deviation of
    that. `quiet` is what is added to both sums before they are compared. `rarity` is the share of
    scores that are higher, `venues` what was seen on each.
    """

    span_s: int
    score: float
    score_limit: float
    severe: bool
    held_back: int
    rarity: float
    seen: int
    due: int
    limit: float
    bought: int
    burst: int
    burst_on: str
    venues: dict[str, int]
    hour: float
    minute: float
    quiet: float
    usual: float
    sigma: float
    since_offset: int


def finding_of(spike: Spike, bar: Bar, threshold: Threshold) -> Finding:
    """Return the finding that a bar completed."""
    seen_usd, due_usd = spike.seen / 100, spike.due / 100
    bought = min(1.0, spike.bought / spike.seen)
    return Finding(
        kind="volume_spike",
        name=f"{spike.span_s}s",
        severity=_severity(spike),
        headline=(
            f"{bar.coin}: {dollars(seen_usd)} traded in {spike.span_s} s, "
            f"{_times(spike.seen / spike.due)} what is usual now"
        ),
        reasons=(
            _expectation(spike, bar.ts_event_ms),
            f"score {spike.score:.1f} against a limit of {spike.score_limit:.1f}: "
            f"as high in {_share(spike.rarity)} of the time",
            _takers(bought, spike),
            _where(spike),
        ),
        value=seen_usd,
        limit=spike.limit / 100,
        unit="usd",
        window_s=spike.span_s,
        since_offset=spike.since_offset,
        baseline=due_usd,
        score=spike.score,
        score_limit=spike.score_limit,
        factors=_factors(spike, threshold),
        held_back=spike.held_back,
        price=bar.mark_price or bar.close,
        exchanges=tuple(spike.venues),
        coverage="full",
        direction=way_of(bought),
    )


def _severity(spike: Spike) -> Severity:
    if spike.severe:
        return "critical"
    return "warning" if spike.rarity <= _RARE else "info"


def _expectation(spike: Spike, ms: int) -> str:
    minute = ms // 60_000
    day = _DAYS[(minute // _MINUTES_A_DAY + 3) % len(_DAYS)]
    hour, of_hour = minute % _MINUTES_A_DAY // 60, minute % 60
    return (
        f"expected {dollars(spike.due / 100)}: the level of the last hour on a {day} "
        f"{hour:02}:{of_hour:02} UTC (hour {_times(math.exp(spike.hour))}, "
        f"minute {_times(math.exp(spike.minute))})"
    )


def _takers(bought: float, spike: Spike) -> str:
    who, share = ("buyers", bought) if bought >= 1 / 2 else ("sellers", 1 - bought)
    burst = f", largest single burst {dollars(spike.burst / 100)} on {spike.burst_on}"
    return f"{who} were the takers of {share:.0%}" + (burst if spike.burst else "")


def _where(spike: Spike) -> str:
    total = sum(spike.venues.values())
    shares = sorted(spike.venues.items(), key=lambda venue: -venue[1])
    return "on " + ", ".join(f"{name} {cents / total:.0%}" for name, cents in shares)


def _factors(spike: Spike, threshold: Threshold) -> tuple[Factor, ...]:
    """Return what made the score; the contributions add up to it.

    The logarithm of the volume against the coin's average day is divided among the venues by
    their volume; level and profile take off what was to be expected.
    """
    due, sigma = spike.due + spike.quiet, spike.sigma
    level = due / math.exp(spike.hour + spike.minute)
    daily_usd = threshold.avg_daily_volume_usd
    average = daily_usd * 100 / 86_400 * spike.span_s if daily_usd else level
    above = math.log((spike.seen + spike.quiet) / average) / sigma
    total = sum(spike.venues.values())
    venues = [
        Factor(name=f"{name} volume, USD", value=cents / 100, contribution=above * cents / total)
        for name, cents in spike.venues.items()
    ]
    profile = (
        ("level of the last hour", math.log(level / average)),
        ("hour of the week", spike.hour),
        ("minute of the hour", spike.minute),
        (f"usual of {spike.span_s} s windows", spike.usual),
    )
    return (
        *venues,
        *(
            Factor(name=f"{name}, times", value=math.exp(log), contribution=-log / sigma)
            for name, log in profile
        ),
    )


def _times(ratio: float) -> str:
    return f"x{ratio:.1f}" if ratio < 100 else f"x{ratio:.0f}"


def _share(share: float) -> str:
    return f"{share:.2g}" if share < 1e-6 else f"{share * 100:.2g} %"
