"""Deterministic ids: the same fact gets the same id, whoever writes it and how often."""

from hashlib import blake2b
from typing import Final

_DIGEST_BYTES: Final = 10


def venue_id(exchange: str, symbol: str, stream: str, number: int | str) -> str:
    """Return the id of a fact that the venue itself numbers, uniquely within the stream."""
    return f"{exchange}:{symbol}:{stream}:{number}"


def numbers_of(event_id: str) -> tuple[int, int]:
    """Return the first and the last of the venue's numbers that an id stands for.

    Raises:
        ValueError: The id does not end in a number, or in `first-last`.
    """
    number = event_id[event_id.rfind(":") + 1 :]
    first, dash, last = number.partition("-")
    return int(first), int(last if dash else first)


def content_id(exchange: str, symbol: str, stream: str, *parts: str | int | float) -> str:
    """Return the id of a fact that the venue does not number: a digest of its content."""
    return f"{exchange}:{symbol}:{stream}:{_digest(parts)}"


def derived_id(kind: str, *parts: str | int | float) -> str:
    """Return the id of what follows from other facts: a digest of their ids and values."""
    return f"{kind}:{_digest(parts)}"


def _digest(parts: tuple[str | int | float, ...]) -> str:
    text = "\x1f".join(part if isinstance(part, str) else repr(part) for part in parts)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
