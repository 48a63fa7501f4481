"""What an alert says, in plain text: what happened first, why after."""

from collections.abc import Mapping, Sequence
from typing import Final

from alert_router.domain.numbers import amount, percent, span, usd
from foreshock_schemas.events import IncidentState, MarketContext, Signal, SignalKind, Why

_TITLES: Final[dict[SignalKind, str]] = {
    "liquidation": "Large liquidation",
    "cascade": "Liquidation cascade",
    "volume_spike": "Volume spike",
    "oi_explosion": "Open interest jump",
    "zone_warning": "Liquidation zone ahead",
    "feed": "Feed trouble",
    "market_wide": "Market-wide",
}
_STATES: Final[dict[IncidentState, str]] = {
    "BUILDING": "building",
    "CONFIRMED": "confirmed",
    "FADING": "fading",
    "ENDED": "over",
}
_WORKING: Final = {"LIVE", "QUIET"}


def title(signal: Signal, revision: int) -> str:
    """Return an alert's first line."""
    if signal.incident_state:
        going = f" {_STATES[signal.incident_state]}"
    else:
        going = " (rising)" if revision > 1 else ""
    return f"{signal.coin} · {_TITLES[signal.kind]}{going}"


def happened(signal: Signal) -> tuple[str, ...]:
    """Return what a trader reads first."""
    said = [signal.headline]
    if signal.context:
        said += _context(signal.context)
    if signal.continuation is not None and signal.incident_state != "ENDED":
        said.append(_continuation(signal.continuation))
    return tuple(said)


def details(signal: Signal) -> tuple[str, ...]:
    """Return why it is told, and what to beware of."""
    said = list(signal.reasons)
    if signal.why:
        said += _why(signal.why, signal)
    if signal.coverage != "full" and signal.kind != "feed":
        said.append("The exchange does not show every liquidation: totals are a floor.")
    return tuple(said)


def cooled(held_back: int, cooldown_ms: int) -> tuple[str, ...]:
    """Return how many like it were held back by the cooldown, if any."""
    if not held_back:
        return ()
    return (f"{held_back} more like it were held back (one per {span(cooldown_ms)}).",)


def laid_out(first: Sequence[str], details: Sequence[str], last: Sequence[str]) -> tuple[str, ...]:
    """Return an alert's lines, the details set apart by empty ones."""
    apart = ("", *filter(None, details), "") if any(details) else ()
    return (*filter(None, first), *apart, *last)


def limited(held_back: Mapping[SignalKind, int], per_day: int) -> str:
    """Return what a chat's limit held back since its last alert."""
    count = sum(held_back.values())
    most_first = sorted(held_back.items(), key=lambda each: -each[1])
    kinds = ", ".join(_some(number, kind) for kind, number in most_first)
    were = "was" if count == 1 else "were"
    by = f"by your limit of {per_day} in 24 h"
    return f"{count} more {were} held back since your last alert {by}: {kinds}."


def explain(signal_id: str) -> str:
    """Return the command that explains a signal."""
    return f"foreshock explain {signal_id}"


def _some(count: int, kind: SignalKind) -> str:
    return f"{count} {_TITLES[kind].lower()}{'' if count == 1 else 's'}"


def _context(context: MarketContext) -> list[str]:
    """Return one line, or none when nothing is known."""
    said = []
    if context.price_pct is not None:
        said.append(f"price {percent(context.price_pct)}")
    if context.open_interest_pct is not None:
        said.append(f"open interest {percent(context.open_interest_pct)}")
    if context.cvd_usd is not None:
        said.append(f"takers {'bought' if context.cvd_usd >= 0 else 'sold'} {usd(context.cvd_usd)}")
    if not said:
        return []
    reading = f": {context.reading}" if context.reading else ""
    line = f"{', '.join(said)} in {span(context.over_s * 1000)}{reading}"
    return [line[0].upper() + line[1:]]


def _continuation(probability: float) -> str:
    return f"As much again within 5 min: {probability * 100:.0f} % likely"


def _why(why: Why, signal: Signal) -> list[str]:
    said = []
    if why.score is not None and signal.kind != "cascade":
        against = f" against {why.score_limit:.1f}" if why.score_limit is not None else ""
        said.append(f"Score {why.score:.1f}{against}{_expected(why.baseline, signal.unit)}")
    if why.held_back:
        were = "was" if why.held_back == 1 else "were"
        said.append(f"{why.held_back} more {were} held back by its daily budget.")
    lame = [f"{f.exchange} {f.channel} {f.state}" for f in why.feeds if f.state not in _WORKING]
    if lame:
        said.append(f"Not live: {', '.join(lame)}")
    return said


def _expected(baseline: float | None, unit: str) -> str:
    return "" if baseline is None else f", expected {amount(baseline, unit)}"
