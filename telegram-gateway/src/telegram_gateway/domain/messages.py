"""Alerts as messages: what a trader reads in three seconds first, why after."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from foreshock_schemas.events import Alert, IncidentState, Severity
from telegram_gateway.domain import markup, numbers

_ICONS: Final[dict[Severity, str]] = {"critical": "🚨", "warning": "⚠️", "info": "ℹ️"}
_GOING: Final[dict[IncidentState, str]] = {"BUILDING": "👀", "FADING": "⏳", "ENDED": "✅"}
_COMMAND: Final = "foreshock "
_TITLE: Final = 100
_HEADLINE: Final = 200
_LINE: Final = 600
_DETAILS: Final = 1_600

Blocks = list[str]


def alert(told: Alert, *, possible_repeat: bool) -> Blocks:
    """Return an alert's message. Lines between empty ones are details, folded up."""
    mark = "↻ " if possible_repeat else ""
    title = f"{mark}{_icon(told)} {markup.bold(markup.shortened(told.title, _TITLE))}"
    command = _commands(told)
    words = [line for line in told.lines if not line.startswith(_COMMAND)]
    first, details, *last = _parts(words)
    if details:
        text = markup.plain(markup.shortened("\n".join(details), _DETAILS))
        command = [markup.folded([text, *command])]
    said = [_line(line) for part in (first, *last) for line in part]
    repeat = [markup.italic("This may be a repeat.")] if possible_repeat else []
    return [title, *said, *command, *repeat, markup.italic(numbers.clock(told.ts_event_ms))]


def bulletin(told: Sequence[Alert], *, possible_repeat: bool) -> Blocks:
    """Return one message for alerts that came at once, the most severe first.

    What explains each of them is folded up at the end, in the same order.
    """
    mark = "↻ " if possible_repeat else ""
    worst = _ICONS[told[0].severity]
    blocks = [f"{mark}{worst} {markup.bold(f'{len(told)} alerts at once')}"]
    for each in told:
        title = markup.bold(markup.shortened(each.title, _TITLE))
        headline = markup.plain(markup.shortened(each.lines[0], _HEADLINE)) if each.lines else ""
        blocks += ["", f"{_icon(each)} {title}", headline]
    commands = [command for each in told for command in _commands(each)]
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


def _parts(lines: Iterable[str]) -> list[list[str]]:
    """Return the lines between empty ones; the first two parts are always there."""
    parts = [list(part) for filled, part in groupby(lines, bool) if filled]
    return [*parts, *([] for _ in range(2 - len(parts)))]


def _commands(told: Alert) -> list[str]:
    return [markup.code(line) for line in told.lines if line.startswith(_COMMAND)]


def _line(text: str) -> str:
    return markup.plain(markup.shortened(text, _LINE))
