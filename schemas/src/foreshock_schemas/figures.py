"""What the market's figures can be: amounts not negative, prices above zero, none above 1e18."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, get_type_hints

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
    check = _CHECKS.get(type(event))
    return None if check is None else check(event)


def _check(event: type[Event]) -> Callable[[Event], str | None]:
    """Return the check of an event's figures, compiled from its fields: every record runs it."""
    names: dict[str, Any] = {}
    exec("\n".join(["def made(e):", *_lines(event)]), names)  # noqa: S102  from fields that are ours
    made: Callable[[Event], str | None] = names["made"]
    return made


def _lines(event: type[Event]) -> Iterator[str]:
    for name, hint in get_type_hints(event).items():
        if hint not in (float, float | None):
            continue
        least = _LEAST_PRICE if name in _PRICES else -_MOST if name in _SIGNED else 0.0
        given = "" if hint is float else "figure is not None and "
        yield f"    figure = e.{name}"
        yield f"    if {given}not {least!r} <= figure <= {_MOST!r}:"
        yield f"        return f'{name} is {{figure}}'"


_MARKET: Final = (Liquidation, Trade, Bar, Kline, OpenInterest, MarketStats)
_CHECKS: Final[dict[type[Event], Callable[[Event], str | None]]] = {
    event: _check(event) for event in _MARKET
}
