"""How numbers and packed frames come over the wire, and how what is not a number is kept out.

Venues quote their numbers, so that "nan" and "inf" would be read as numbers were it not for
the bounds here.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]
Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e18)]
Signed = Annotated[float, msgspec.Meta(gt=-1e18, lt=1e18)]
Share = Annotated[float, msgspec.Meta(ge=1e-6, le=1)]
"""A part of one: a margin that is asked for."""
Millis = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]
"""A time, ms since 1970 UTC."""
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as ISO 8601 text with its offset, read by `millis`."""

_GZIP: Final = 31
_LARGEST_FRAME: Final = 16 * 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def decoder(wire_type: Any) -> Callable[[bytes], Any]:
    """Return what reads JSON of one shape, prepared once; quoted numbers count as numbers."""
    return msgspec.json.Decoder(wire_type, strict=False).decode


def gunzip(frame: bytes) -> bytes:
    """Return what a gzip frame holds, where a venue packs its frames itself.

    Raises:
        ValueError: It is not gzip, is cut off, or holds over 16 MiB.
    """
    unpacker = zlib.decompressobj(_GZIP)
    try:
        held = unpacker.decompress(frame, _LARGEST_FRAME)
    except zlib.error as e:
        raise ValueError(f"no gzip frame: {e}") from e
    if not unpacker.eof:
        raise ValueError("a gzip frame that is cut off or too large")
    return held


def number_or_none(text: str | None) -> float | None:
    """Return a number that may be missing, as venues write that: an empty text.

    Raises:
        ValueError: It is neither empty nor a finite number.
    """
    return msgspec.convert(text, Signed, strict=False) if text else None


def millis(at: datetime) -> int:
    """Return a time as whole ms since 1970 UTC.

    Raises:
        ValueError: It is not after that.
    """
    passed_ms = (at - _EPOCH) // _MILLISECOND
    if passed_ms <= 0:
        raise ValueError(f"{at} is not after 1970")
    return passed_ms
