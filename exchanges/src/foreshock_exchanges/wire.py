"""How numbers come over the wire, and how what is not a number is kept out.

Venues quote their numbers, so that "nan" and "inf" would be read as numbers were it not for
the bounds here.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]
Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e18)]
Signed = Annotated[float, msgspec.Meta(gt=-1e18, lt=1e18)]
Millis = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]
"""A time, ms since 1970 UTC."""


def decoder(wire_type: Any) -> Callable[[bytes], Any]:
    """Return what reads JSON of one shape, prepared once; quoted numbers count as numbers."""
    return msgspec.json.Decoder(wire_type, strict=False).decode


def number_or_none(text: str | None) -> float | None:
    """Return a number that may be missing, as venues write that: an empty text.

    Raises:
        ValueError: It is neither empty nor a finite number.
    """
    return msgspec.convert(text, Signed, strict=False) if text else None
