"""What an alert says, in plain text."""

from typing import Final

from alert_router.domain.incidents import News
from foreshock_schemas.events import Signal, SignalKind

_MINUTE_MS: Final = 60_000
_TITLES: Final[dict[SignalKind, str]] = {
    "liquidation": "Large liquidation",
    "cascade": "Liquidation cascade",
    "volume_spike": "Volume spike",
    "oi_explosion": "Open interest jump",
    "zone_warning": "Liquidation zone ahead",
    "feed": "Feed trouble",
}


def title(signal: Signal, news: News) -> str:
    """Return the alert's first line."""
    risen = " (rising)" if news.revision > 1 else ""
    return f"{signal.coin} · {_TITLES[signal.kind]}{risen}"


def lines(signal: Signal, news: News, cooldown_ms: int) -> tuple[str, ...]:
    """Return the rest: what happened, why it is told, and what was held back."""
    said = [signal.headline, *signal.reasons]
    if signal.coverage != "full" and signal.kind != "feed":
        said.append("The exchange does not show every liquidation: totals are a floor.")
    if news.held_back:
        said.append(f"{news.held_back} more like it were held back (one per {_span(cooldown_ms)}).")
    return tuple(said)


def _span(ms: int) -> str:
    return f"{ms / _MINUTE_MS:g} min" if ms >= _MINUTE_MS else f"{ms / 1000:g} s"
