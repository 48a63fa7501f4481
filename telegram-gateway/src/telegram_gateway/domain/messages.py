"""Alerts as messages: what a trader reads in three seconds first, why after."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from foreshock_schemas.events import Alert, IncidentState, Severity
from telegram_gateway.domain import markup, numbers
from telegram_gateway.domain.severity import RANK

_ICONS: Final[dict[Severity, str]] = {"critical": "🚨", "warning": "⚠️", "info": "ℹ️"}
_GOING: Final[dict[IncidentState, str]] = {"BUILDING": "👀", "FADING": "⏳", "ENDED": "✅"}
_COMMAND: Final = "foreshock "
_TITLE: Final = 100
_NAMES: Final = 60
_TOLD_IN_FULL: Final = 3
_TOGETHER: Final = 2_000
_EACH: Final = 150
"""What each of the alerts told together may say at least, beside its title."""
_LINE: Final = 600
_DETAILS: Final = 1_600

Blocks = list[str]


def alert(told: Alert, *, possible_repeat: bool) -> Blocks:
    """Return an alert's message. Lines between empty ones are details, folded up."""
    mark = "↻ " if possible_repeat else ""
    title = f"{mark}{_icon(told)} {markup.bold(markup.shortened(told.title, _TITLE))}"
    command = _commands(told)
    first, details, *last = _parts(told)
    if details:
        text = markup.plain(markup.shortened("\n".join(details), _DETAILS))
        command = [markup.folded([text, *command])]
    said = [_line(line) for part in (first, *last) for line in part]
    repeat = [markup.italic("This may be a repeat.")] if possible_repeat else []
    return [title, *said, *command, *repeat, markup.italic(numbers.clock(told.ts_event_ms))]


def bulletin(told: Sequence[Alert], *, possible_repeat: bool) -> Blocks:
    """Return one message for alerts that came at once, in their order.

    The first line, all that a locked phone shows, names the coins. What happened is told of a
    few in full, of many in a line each; what explains them is folded up at the end.
    """
    mark = "↻ " if possible_repeat else ""
    worst = _ICONS[min((each.severity for each in told), key=RANK.__getitem__)]
    coins = markup.shortened(", ".join(dict.fromkeys(each.coin for each in told)), _NAMES)
    blocks = [f"{mark}{worst} {markup.bold(f'{len(told)} alerts at once: {coins}')}"]
    in_full = len(told) <= _TOLD_IN_FULL
    room = _TOGETHER - _EACH * len(told)
    for each in told:
        title = markup.bold(markup.shortened(each.title, _TITLE))
        said = markup.shortened("\n".join(_among_others(each, in_full)), room + _EACH)
        room -= max(0, len(said) - _EACH)
        gap = [""] if in_full or each is told[0] else []
        blocks += [*gap, f"{_icon(each)} {title}", markup.plain(said)]
    commands = list(dict.fromkeys(command for each in told for command in _commands(each)))
    folded = [markup.folded(commands)] if commands else []
    repeat = [markup.italic("Some of it may be a repeat.")] if possible_repeat else []
    newest_ms = max(each.ts_event_ms for each in told)
    return [*blocks, "", *folded, *repeat, markup.italic(numbers.clock(newest_ms))]


def digest(missed: Sequence[Alert], *, possible_repeat: bool) -> Blocks:
    """Return one message for alerts that are history by now."""
    first, last = min(a.ts_event_ms for a in missed), max(a.ts_event_ms for a in missed)
    count = f"{len(missed)} alert{'s' if len(missed) > 1 else ''}"
    span = f"{numbers.clock(first)} to {numbers.clock(last)}"
    mark = "↻ " if possible_repeat else ""
    head = mark + markup.bold(f"{count} while the bot was away, {span}")
    rows = [f"{_icon(a)} {markup.plain(markup.shortened(a.title, _TITLE))}" for a in missed]
    repeat = [markup.italic("This may be a repeat.")] if possible_repeat else []
    return [head, *rows, *repeat]


def _icon(told: Alert) -> str:
    """Return how far an incident has come, or else how severe an alert is."""
    state = told.incident_state
    return _GOING[state] if state in _GOING else _ICONS[told.severity]


def _among_others(told: Alert, in_full: bool) -> list[str]:
    """Return what happened, in a line unless it is market-wide, and what was held back."""
    first, _, *last = _parts(told)
    if not in_full and told.kind != "market_wide":
        first = [line.removeprefix(f"{told.coin}: ") for line in first[:1]]
    return [*first, *(line for part in last for line in part)]


def _parts(told: Alert) -> list[list[str]]:
    """Return the lines between empty ones; the first two parts are always there."""
    words = (line for line in told.lines if not line.startswith(_COMMAND))
    parts = [list(part) for filled, part in groupby(words, bool) if filled]
    return [*parts, *([] for _ in range(2 - len(parts)))]


def _commands(told: Alert) -> list[str]:
    return [markup.code(line) for line in told.lines if line.startswith(_COMMAND)]


def _line(text: str) -> str:
    return markup.plain(markup.shortened(text, _LINE))
