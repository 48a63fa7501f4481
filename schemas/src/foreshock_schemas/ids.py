"""Deterministic ids: the same fact gets the same id, whoever writes it and how often."""

from hashlib import blake2b
from typing import Final

_DIGEST_BYTES: Final = 10


def venue_id(exchange: str, symbol: str, stream: str, number: int | str) -> str:
    """Return the id of a fact that the venue itself numbers, uniquely within the stream."""
    return f"{exchange}:{symbol}:{stream}:{number}"


def content_id(exchange: str, symbol: str, stream: str, *parts: str | int | float) -> str:
    """Return the id of a fact that the venue does not number: a digest of its content."""
    return f"{exchange}:{symbol}:{stream}:{_digest(parts)}"


def derived_id(kind: str, *parts: str | int | float) -> str:
    """Return the id of what follows from other facts: a digest of their ids and values."""
    return f"{kind}:{_digest(parts)}"


def _digest(parts: tuple[str | int | float, ...]) -> str:
    text = "\x1f".join(part if isinstance(part, str) else repr(part) for part in parts)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
