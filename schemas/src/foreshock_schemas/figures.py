"""What the market's figures can be: amounts not negative, prices above zero, none above 1e18."""

import sys
from collections.abc import Iterator
from typing import Final, get_type_hints

from foreshock_schemas.events import (
    Bar,
    Event,
    Kline,
    Liquidation,
    MarketStats,
    OpenInterest,
    Trade,
)

_SIGNED: Final = {"funding_rate", "price_change_24h_pct"}
_PRICES: Final = {"open", "high", "low", "close", "mark_price"}
_LEAST_PRICE: Final = sys.float_info.min
_MOST: Final = 1e18


def impossible(event: Event) -> str | None:
    """Return which figure of the market cannot be, None if all can; other events have none."""
    for name, least in _FIGURES.get(type(event), ()):
        figure = getattr(event, name)
        if figure is not None and not least <= figure <= _MOST:
            return f"{name} is {figure}"
    return None


def _figures(event: type[Event]) -> Iterator[tuple[str, float]]:
    """Yield each of its numbers with the least that it can be."""
    for name, hint in get_type_hints(event).items():
        if hint in (float, float | None):
            least = _LEAST_PRICE if name in _PRICES else 0.0
            yield name, -_MOST if name in _SIGNED else least


_MARKET: Final = (Liquidation, Trade, Bar, Kline, OpenInterest, MarketStats)
_FIGURES: Final[dict[type[Event], tuple[tuple[str, float], ...]]] = {
    event: tuple(_figures(event)) for event in _MARKET
}
