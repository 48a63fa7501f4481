"""The words of signals: amounts, severities, and why a limit is what it is."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, Literal

from foreshock_schemas.events import Coverage, Position, Severity, Threshold
from threshold_service.domain.formulas import OI_CHANGE_PCT, QUARTERS_A_DAY, SPIKE_TIMES

QUADRANTS: Final[dict[tuple[bool, bool], tuple[str, Position]]] = {
    (True, True): ("new longs lead", "long"),
    (True, False): ("new shorts lead", "short"),
    (False, True): ("shorts are being closed", "short"),
    (False, False): ("longs are being closed", "long"),
}
"""By whether open interest and price rise."""

_ONE_SIDED: Final = 0.55
"""The share of volume from which on takers of one side push the price."""

_CRITICAL_TIMES: Final = 4.0
_WARNING_TIMES: Final = 2.0
_UNITS: Final = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_DIGITS: Final = 3


def dollars(usd: float) -> str:
    """Return an amount in three digits, such as `$12.4M`."""
    for unit, letter in _UNITS:
        if usd >= unit * 0.9995:
            scaled = usd / unit
            whole = len(str(round(scaled)))
            return f"${scaled:.{max(0, _DIGITS - whole)}f}{letter}"
    return f"${usd:.0f}"


def duration(seconds: float) -> str:
    """Return how long something lasted: in seconds up to a minute and a half, else in minutes."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def severity_of(value: float, limit: float, least: Severity = "info") -> Severity:
    """Return how bad `value` is: critical from 4 limits on, a warning from 2 on."""
    if value >= limit * _CRITICAL_TIMES:
        return "critical"
    return "warning" if value >= limit * _WARNING_TIMES else least


def way_of(bought: float) -> Literal["up", "down"] | None:
    """Return where takers who bought this share of the volume push the price, if anywhere."""
    if bought >= _ONE_SIDED:
        return "up"
    return "down" if bought <= 1 - _ONE_SIDED else None


def coverage_of(coverages: Collection[Coverage]) -> Coverage:
    """Return the coverage of a sum over such feeds: the weakest of theirs."""
    if "sampled" in coverages:
        return "sampled"
    return "unknown" if "unknown" in coverages else "full"


def floor_word(coverage: Coverage) -> str:
    """Return the words to put before a total: none where all of it was seen."""
    return "" if coverage == "full" else "at least "


def liquidation_limit(threshold: Threshold) -> str:
    """Return where the limit of a single liquidation comes from, with its numbers."""
    daily_usd, share = threshold.avg_daily_volume_usd, threshold.base_share
    if daily_usd is None or share is None:
        return f"the fixed limit of {threshold.coin}, {dollars(threshold.single_liquidation_usd)}"
    return (
        f"daily volume {dollars(daily_usd)} x {share * 100:g} % ({threshold.tier or 'small'} cap) "
        f"x session {threshold.session_multiplier:g} "
        f"x volatility {threshold.volatility_multiplier:.2f}"
    )


def circumstances(threshold: Threshold) -> tuple[str, ...]:
    """Return since when the limits hold and how sure they are; nothing for constants."""
    if threshold.base_share is None:
        return ()
    since = datetime.fromtimestamp(threshold.ts_event_ms / 1000, UTC)
    return (
        f"{threshold.session} session, limits of {since:%H:%M} UTC, "
        f"confidence {threshold.confidence:.0%}",
    )


def volume_limit(threshold: Threshold, limit: float) -> str:
    """Return where the limit of a quarter of an hour's volume comes from."""
    return (
        f"limit {dollars(limit)} = {SPIKE_TIMES:g} x a usual quarter of an hour, daily volume "
        f"{dollars(threshold.avg_daily_volume_usd or 0.0)} / {QUARTERS_A_DAY} "
        f"x session {threshold.session_multiplier:g}"
    )


def oi_limit(threshold: Threshold) -> str:
    """Return where the limits of open interest come from."""
    least = f"from {dollars(threshold.oi_minimum_usd)} of open interest on"
    if threshold.base_share is None:
        return f"the fixed limit of {threshold.coin}, {threshold.oi_change_pct:g} % {least}"
    return (
        f"limit {threshold.oi_change_pct:.1f} % = "
        f"{OI_CHANGE_PCT:g} % x {threshold.tier or 'small'} cap "
        f"x volatility {threshold.volatility_multiplier:.2f}, {least}"
    )
