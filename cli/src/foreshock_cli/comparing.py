"""Signals against signals: which are missing, which are new, which say something else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from foreshock_schemas.events import Signal, SignalKind


def differences(live: Iterable[Signal], made: Iterable[Signal]) -> list[str]:
    """Return a line for each signal that is not the same on both sides."""
    there, here = _by_id(live), _by_id(made)
    lines = [f"missing  {_named(there[each])}" for each in there.keys() - here.keys()]
    lines += [f"extra    {_named(here[each])}" for each in here.keys() - there.keys()]
    for each in there.keys() & here.keys():
        if there[each] != here[each]:
            lines.append(f"differs  {_named(here[each])}: {_fields(there[each], here[each])}")
    return sorted(lines)


def table(
    live: Sequence[Signal], made: Sequence[Signal], *, days: Mapping[SignalKind, float]
) -> Table:
    """Return how many signals a day there are of each kind, live and if it were so.

    `days` are those that each kind was concluded from.
    """
    title = "signals a day, all coins together"
    rows = Table("kind", "live", "what if", "change", box=SIMPLE_HEAD, title=title)
    before = Counter(signal.kind for signal in _by_id(live).values())
    after = Counter(signal.kind for signal in _by_id(made).values())
    for kind in sorted(before.keys() | after.keys()):
        was, is_now = before[kind] / days[kind], after[kind] / days[kind]
        rows.add_row(kind, f"{was:.1f}", f"{is_now:.1f}", f"{is_now - was:+.1f}")
    return rows


def clock_time(at_ms: int) -> str:
    """Return a time to the second, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _by_id(signals: Iterable[Signal]) -> dict[str, Signal]:
    """Return each signal once: what was written twice counts as it was written first."""
    found: dict[str, Signal] = {}
    for signal in signals:
        found.setdefault(signal.event_id, signal)
    return found


def _named(signal: Signal) -> str:
    return f"{signal.event_id} {signal.coin} {signal.kind} {clock_time(signal.ts_event_ms)}"


def _fields(one: Signal, other: Signal) -> str:
    left, right = msgspec.structs.asdict(one), msgspec.structs.asdict(other)
    return ", ".join(name for name in left if left[name] != right[name])
