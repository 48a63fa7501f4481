"""What several commands take on their command line."""

import argparse
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from foreshock_kit.clock import Clock

_AGO: Final = re.compile(r"-(\d+(?:\.\d+)?)([smhd])")
_LAST_MS: Final = 253_402_300_799_000
"""The end of the year 9999, where Python's calendar ends."""
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def seconds(text: str) -> float:
    """Return a time to run.

    Raises:
        argparse.ArgumentTypeError: It is none.
        ValueError: It is no number.
    """
    found = float(text)
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time to run: say how many seconds")
    return found


def words(text: str) -> tuple[str, ...]:
    """Return the words of a comma separated list, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def moment(clock: Clock) -> Callable[[str], int]:
    """Return what reads a time: ISO 8601 (UTC unless it says), ms since 1970, `-2h`, or `now`.

    It raises `argparse.ArgumentTypeError` for what is none of these; before 1970 is 1970.
    """

    def moment(text: str) -> int:
        try:
            at_ms = _at_ms(text, clock.now_ms())
        except (ValueError, OverflowError):
            at_ms = None
        if at_ms is None or at_ms > _LAST_MS:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no time: say 2026-06-16T12:00 (UTC), ms since 1970, "
                "-2h (or s, m, d), or now"
            )
        return max(0, at_ms)

    return moment


def _at_ms(text: str, now_ms: int) -> int:
    if text == "now":
        return now_ms
    if text.isdecimal():
        return int(text)
    if ago := _AGO.fullmatch(text):
        return now_ms - round(float(ago[1]) * _UNIT_MS[ago[2]])
    said = datetime.fromisoformat(text)
    return round((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp() * 1000)


def let_times_be_values(parser: argparse.ArgumentParser) -> None:
    """Have `-2h` taken for a value, as argparse does with negative numbers alone."""
    parser._negative_number_matcher = re.compile(rf"{_AGO.pattern}|-\d+")  # noqa: SLF001
