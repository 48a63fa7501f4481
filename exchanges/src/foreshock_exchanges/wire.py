"""How numbers and packed frames come over the wire, and how what is not a number is kept out.

Venues quote their numbers, so that "nan" and "inf" would be read as numbers were it not for
the bounds here.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, overload

import msgspec

T = TypeVar("T")

LEAST: Final = 1e-18
"""No price and no size is smaller; to divide by what is might give no number any more."""
MOST: Final = 1e18
"""No price and no size is so large."""

Positive = Annotated[float, msgspec.Meta(ge=LEAST, lt=MOST)]
Amount = Annotated[float, msgspec.Meta(ge=0, lt=MOST)]
Signed = Annotated[float, msgspec.Meta(gt=-MOST, lt=MOST)]
Share = Annotated[float, msgspec.Meta(ge=1e-6, le=1)]
"""A part of one: a margin that is asked for."""
Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of one that may be nothing: a margin that must be kept."""
Leverage = Annotated[float, msgspec.Meta(ge=1, le=1000)]
Millis = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]
"""A time, ms since 1970 UTC."""
MillisOrNone = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
"""A time, ms since 1970 UTC; 0 is none."""
Hours = Annotated[float, msgspec.Meta(ge=0, le=1000)]
"""Between two fundings; 0 is not told."""
TradeCount = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
"""A number of trades."""
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as ISO 8601 text with its offset, read by `millis`."""

_GZIP: Final = 31
_LARGEST_FRAME: Final = 16 * 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@overload
def decoder(wire_type: type[T]) -> Callable[[bytes | msgspec.Raw], T]: ...
@overload
def decoder(wire_type: UnionType) -> Callable[[bytes | msgspec.Raw], Any]: ...
def decoder(wire_type: Any) -> Callable[[bytes | msgspec.Raw], Any]:
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


def amount_or_none(text: str | None) -> float | None:
    """Return a price or an amount that may be missing.

    Raises:
        ValueError: It is neither empty nor a finite number from 0 on.
    """
    return msgspec.convert(text, Amount, strict=False) if text else None


def millis_or_none(text: str | None) -> int | None:
    """Return a time as ms since 1970 UTC; an empty text, and 0, are none.

    Raises:
        ValueError: It is neither empty nor a time.
    """
    return (msgspec.convert(text, MillisOrNone, strict=False) or None) if text else None


def hours_or_none(text: str | None) -> float | None:
    """Return the hours between two fundings, if they are told.

    Raises:
        ValueError: It is neither empty nor a number of hours.
    """
    return (msgspec.convert(text, Hours, strict=False) or None) if text else None


def finite(number: float) -> float:
    """Return what was reckoned from numbers that are finite, if it is, too.

    Raises:
        ValueError: It is not.
    """
    if not isfinite(number):
        raise ValueError(f"a number that is {number}")
    return number


def millis(at: datetime) -> int:
    """Return a time as whole ms since 1970 UTC.

    Raises:
        ValueError: It is not after that.
    """
    passed_ms = (at - _EPOCH) // _MILLISECOND
    if passed_ms <= 0:
        raise ValueError(f"{at} is not after 1970")
    return passed_ms
