"""Plots as inline SVG: 360 units wide, so that a phone shows them at about their size.

Colours are CSS classes of the page, so that they follow its light or dark scheme.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

import msgspec

WIDTH: Final = 360

_LEFT: Final = 120
_RIGHT: Final = WIDTH - 12
_ROW: Final = 30
_TALL: Final = 150


class Dots(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a dot plot: a share with its interval, and others' to compare with."""

    label: str
    note: str
    value: float
    interval: tuple[float, float] | None
    others: Mapping[str, float]


def dot_plot(lines: Sequence[Dots]) -> str:
    """Return shares from 0 to 1, a line each; ours is the large dot with a bar."""
    height = _ROW * len(lines) + 28
    parts = [_grid_x(tick / 4, height - 20, f"{tick / 4:.0%}") for tick in range(5)]
    for number, line in enumerate(lines):
        y = _ROW * number + 18
        parts.append(_text(4, y - 1, line.label) + _text(4, y + 10, line.note, "faint"))
        if line.interval:
            low, high = (_at(share) for share in line.interval)
            parts.append(f'<line class="ours" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>')
        parts += [_dot(share, y, name, 3) for name, share in line.others.items()]
        parts.append(_dot(line.value, y, "ours", 5))
    return _svg(height, parts)


def cumulative(curves: Mapping[str, Sequence[float]], until: float, unit: str) -> str:
    """Return for each name the share of its values that lie below what the x axis says."""
    parts = [_grid_x(tick / 4, _TALL + 8, f"{until * tick / 4:g} {unit}") for tick in range(5)]
    parts += [_grid_y(share, f"{share:.0%}") for share in (0, 0.5, 1)]
    for name, values in curves.items():
        ordered = sorted(values)
        points = [(0.0, 0.0)]
        for rank, value in enumerate(ordered, 1):
            points += [(min(value, until), points[-1][1]), (min(value, until), rank / len(ordered))]
        points.append((until, points[-1][1]))
        path = " ".join(f"{_at(x / until):.1f},{_up(y):.1f}" for x, y in points)
        parts.append(f'<polyline class="{escape(name)}" points="{path}"/>')
    return _svg(_TALL + 24, parts)


def columns(values: Sequence[float], limit: float, labels: Sequence[str]) -> str:
    """Return a column for each value, and a line at the limit."""
    top = max([*values, limit]) * 1.15
    wide = (_RIGHT - _LEFT) / max(1, len(values))
    parts = [_grid_y(share, f"{top * share:.1f}") for share in (0, 0.5, 1)]
    for number, (value, label) in enumerate(zip(values, labels, strict=True)):
        x, y = _LEFT + number * wide, _up(value / top)
        parts.append(
            f'<rect class="ours" x="{x + wide * 0.15:.1f}" y="{y:.1f}" '
            f'width="{wide * 0.7:.1f}" height="{_up(0) - y:.1f}"/>'
        )
        parts.append(_text(x + wide / 2, _up(0) + 13, label, "tick"))
    y = _up(limit / top)
    parts.append(f'<line class="limit" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    return _svg(_TALL + 24, parts)


def key(names: Iterable[str]) -> str:
    """Return what the colours mean."""
    return (
        '<p class="key">'
        + " ".join(f'<span class="{escape(name)}">● {escape(name)}</span>' for name in names)
        + "</p>"
    )


def _svg(height: float, parts: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(parts)}</svg>'


def _at(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _up(share: float) -> float:
    return 8 + (1 - share) * (_TALL - 8)


def _grid_x(share: float, height: float, label: str) -> str:
    x = _at(share)
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height:.0f}"/>'
    return line + _text(x, height + 13, label, "tick")


def _grid_y(share: float, label: str) -> str:
    y = _up(share)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + _text(_LEFT - 6, y + 3, label, "side")


def _dot(share: float, y: float, name: str, radius: float) -> str:
    return f'<circle class="{escape(name)}" cx="{_at(share):.1f}" cy="{y}" r="{radius}"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
