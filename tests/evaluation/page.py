"""The page's frame: one file, light and dark, readable on a phone."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fcfcfa; --faint: #6b7280;
  --line: #d9dce3; --ours: #1565c0; --prd: #c2410c; --ewma: #6d28d9; --fixed: #0f766e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ee; --paper: #14171d;
  --faint: #9aa3b2; --line: #333a46; --ours: #64b5f6; --prd: #fb923c; --ewma: #c4b5fd;
  --fixed: #5eead4; } }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p.faint, .faint { color: var(--faint); fill: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82rem; white-space: nowrap; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
th { color: var(--faint); font-weight: 600; }
figure { margin: 0.5rem 0; max-width: 40rem; } svg { width: 100%; height: auto; }
svg text { font-size: 9px; fill: var(--ink); }
svg text.faint { fill: var(--faint); font-size: 8px; }
svg text.tick { text-anchor: middle; fill: var(--faint); font-size: 8px; }
svg text.side { text-anchor: end; fill: var(--faint); font-size: 8px; }
svg line.grid { stroke: var(--line); } svg line.ours { stroke: var(--ours); stroke-width: 2; }
svg line.limit { stroke: var(--prd); stroke-dasharray: 4 3; }
svg .ours { fill: var(--ours); } svg .prd { fill: var(--prd); } svg .ewma { fill: var(--ewma); }
svg .fixed { fill: var(--fixed); }
svg polyline { fill: none !important; stroke-width: 1.6; }
svg polyline.cascade { stroke: var(--ours); } svg polyline.volume { stroke: var(--prd); }
svg polyline.open-interest { stroke: var(--ewma); }
svg polyline.liquidation { stroke: var(--fixed); }
.key .ours, .key .cascade { color: var(--ours); } .key .prd, .key .volume { color: var(--prd); }
.key .ewma, .key .open-interest { color: var(--ewma); }
.key .fixed, .key .liquidation { color: var(--fixed); }
"""


def page(title: str, sections: list[str]) -> str:
    """Return a whole document."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{''.join(sections)}</body></html>\n"
    )


def section(title: str, *blocks: str) -> str:
    """Return a headed part of the page."""
    return f"<h2>{title}</h2>{''.join(blocks)}"


def figure(plot: str, caption: str) -> str:
    """Return a plot with what it shows."""
    return f'<figure>{plot}<figcaption class="faint">{caption}</figcaption></figure>'


def table(head: list[str], body: list[list[str]]) -> str:
    """Return a table that scrolls sideways where the screen is narrow; a lone cell is a heading."""
    rows = "".join(f"<tr>{_cells(row, len(head))}</tr>" for row in body)
    titles = "".join(f"<th>{title}</th>" for title in head)
    return (
        f'<div class="wide"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(row: list[str], columns: int) -> str:
    if len(row) == 1:
        return f'<td colspan="{columns}">{row[0]}</td>'
    return "".join(f"<td>{cell}</td>" for cell in row)
