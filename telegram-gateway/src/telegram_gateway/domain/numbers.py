"""Numbers as traders write them."""

from datetime import UTC, datetime
from typing import Final

_SCALES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MINUTE_MS: Final = 60_000


def usd(value: float) -> str:
    """Return an amount of money: $1.24B, $12.4M, $980."""
    return f"{'-' if value < 0 else ''}${short(abs(value))}"


def short(value: float) -> str:
    """Return a number with three significant digits and its scale: 1.24B, 12.4M, 980."""
    for scale, letter in _SCALES:
        if value >= scale * 0.9995:
            return f"{_three(value / scale)}{letter}"
    return _three(value)


def price(value: float) -> str:
    """Return a price with the digits that matter: 83,434.4 or 0.00001234."""
    if value >= 1000:
        return f"{value:,.1f}"
    if value >= 1:
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:.10f}".rstrip("0") if value < 0.0001 else f"{value:.4g}"


def percent(value: float, digits: int = 1) -> str:
    """Return a change in percent, with its sign."""
    return f"{value:+.{digits}f} %"


def clock(ms: int) -> str:
    """Return a time of day in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S UTC")


def ago(ms: int, now_ms: int) -> str:
    """Return how long ago something was, in one unit."""
    return f"{span(max(0, now_ms - ms))} ago"


def span(ms: int) -> str:
    """Return how long something is, in one unit."""
    if ms < _MINUTE_MS:
        return f"{ms // 1000} s"
    if ms < 60 * _MINUTE_MS:
        return f"{ms // _MINUTE_MS} min"
    return f"{ms // (60 * _MINUTE_MS)} h"


def _three(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    digits = 1 if value >= 10 else 2
    return f"{value:.{digits}f}".removesuffix("." + "0" * digits)
