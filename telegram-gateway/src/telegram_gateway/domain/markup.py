"""Telegram's HTML, built so that nothing from outside can break it or be too long.

https://core.telegram.org/bots/api#html-style
"""

from collections.abc import Iterable
from html import escape
from typing import Final

MOST_UNITS: Final = 4096
"""Telegram's limit for a text, in UTF-16 units after its tags are taken out."""

_MORE: Final = "…"


def plain(text: object) -> str:
    """Return any text, escaped."""
    return escape(str(text), quote=False)


def bold(text: object) -> str:
    """Return any text, escaped and bold."""
    return f"<b>{plain(text)}</b>"


def italic(text: object) -> str:
    """Return any text, escaped and italic."""
    return f"<i>{plain(text)}</i>"


def code(text: object) -> str:
    """Return any text, escaped and in fixed width."""
    return f"<code>{plain(text)}</code>"


def block(text: object) -> str:
    """Return lines, escaped and in fixed width."""
    return f"<pre>{plain(text)}</pre>"


def folded(lines: Iterable[str]) -> str:
    """Return lines of finished markup as one block that is folded up when it is long."""
    joined = "\n".join(lines)
    return f"<blockquote expandable>{joined}</blockquote>"


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters, marked where it was cut."""
    return text if len(text) <= most else text[: most - 1] + _MORE


def message(blocks: Iterable[str]) -> str:
    """Join blocks of finished markup, a line each, leaving out those that find no room."""
    kept: list[str] = []
    room = MOST_UNITS - len(_MORE) - 1
    for each in blocks:
        needed = _units(each) + 1
        if needed > room:
            kept.append(_MORE)
            break
        kept.append(each)
        room -= needed
    return "\n".join(kept)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="replace")) // 2
