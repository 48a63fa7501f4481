"""What every benchmark shares: rows, goals, progress, and repeats that take turns."""

import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from rich.console import Console
from rich.table import Table

RESULTS: Final = Path("var/bench.json")

T = TypeVar("T")


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What a row must reach: bounds of its value, of its ratio to the reference, or of both."""

    at_least: float | None = None
    at_most: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None

    def __str__(self) -> str:
        bounds = (
            ("", ">=", self.at_least),
            ("", "<=", self.at_most),
            ("ratio ", ">=", self.ratio_at_least),
            ("ratio ", "<=", self.ratio_at_most),
        )
        said = [f"{what}{sign} {bound:,g}" for what, sign, bound in bounds if bound is not None]
        return ", ".join(said)

    def met(self, value: float, ratio: float) -> bool:
        """Return whether both are within all bounds."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.ratio_at_least is None or ratio >= self.ratio_at_least)
            and (self.ratio_at_most is None or ratio <= self.ratio_at_most)
        )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside its reference's, both of the same run. `ratio` is value / reference."""

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float
    ratio: float
    goal: str
    met: bool


def row(
    name: str, value: float, unit: str, reference: str, reference_value: float, goal: Goal
) -> Row:
    """Return a row with its ratio and its verdict."""
    ratio = value / reference_value if reference_value else 0.0
    return Row(
        name=name,
        value=_rounded(value),
        unit=unit,
        reference=reference,
        reference_value=_rounded(reference_value),
        ratio=_rounded(ratio),
        goal=str(goal),
        met=goal.met(value, ratio),
    )


def say(text: str) -> None:
    """Show what is going on, on one line that the next replaces."""
    end = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(f"{text[:110]:110}{end}")
    sys.stderr.flush()


async def in_turns(
    repeats: int, what: str, ours: Callable[[], Awaitable[T]], theirs: Callable[[], Awaitable[T]]
) -> tuple[list[T], list[T]]:
    """Run both as often as told, one after the other, so that a busy machine slows both."""
    mine: list[T] = []
    others: list[T] = []
    for turn in range(repeats):
        say(f"{what}: ours, {turn + 1} of {repeats}")
        mine.append(await ours())
        say(f"{what}: the reference, {turn + 1} of {repeats}")
        others.append(await theirs())
    return mine, others


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all lie below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


median = statistics.median


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table("what", "value", "unit", "reference", "its value", "ratio", "goal", "met")
    for each in rows:
        table.add_row(
            each.name,
            f"{each.value:,g}",
            each.unit,
            each.reference,
            f"{each.reference_value:,g}",
            f"{each.ratio:,g}",
            each.goal,
            "yes" if each.met else "NO",
        )
    Console(width=170).print(table)


def write(rows: Sequence[Row]) -> None:
    """Write the rows to `var/bench.json` at one stroke."""
    RESULTS.parent.mkdir(exist_ok=True)
    fresh = RESULTS.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(list(rows)), indent=1))
    fresh.replace(RESULTS)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
