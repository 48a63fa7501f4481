"""Numbers as traders write them."""

from typing import Final

_SCALES: Final = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_MINUTE_MS: Final = 60_000


def usd(value: float) -> str:
    """Return an amount of money, without its sign: $1.24B, $12.4M, $980."""
    value = abs(value)
    for scale, letter in _SCALES:
        if value >= scale * 0.9995:
            return f"${value / scale:.3g}{letter}"
    return f"${value:.3g}"


def percent(value: float) -> str:
    """Return a change in percent, with its sign."""
    return f"{value:+.1f} %"


def amount(value: float, unit: str) -> str:
    """Return a signal's value in its unit."""
    return usd(value) if unit == "usd" else f"{value:.3g} %" if unit == "pct" else f"{value:.3g}"


def span(ms: int) -> str:
    """Return a time span in minutes, or in seconds below one minute."""
    number, unit = (ms / _MINUTE_MS, "min") if ms >= _MINUTE_MS else (ms / 1000, "s")
    return f"{round(number, 1):g} {unit}"
