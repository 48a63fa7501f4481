"""Avro's numbers and texts, as bytes and back; what comes again and again is remembered."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Generic, TypeVar

_REMEMBERED: Final = 8_192

T = TypeVar("T")


@lru_cache(maxsize=_REMEMBERED)
def write_long(number: int) -> bytes:
    """Return a number as a zigzag varint.

    Raises:
        OverflowError: it takes more than 64 bits.
    """
    if not -(2**63) <= number < 2**63:
        raise OverflowError(f"{number} is no long")
    rest = (number << 1) ^ (number >> 63)
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def write_text(text: str) -> bytes:
    """Return a text after its length."""
    raw = text.encode()
    return write_long(len(raw)) + raw


write_name: Final = lru_cache(maxsize=_REMEMBERED)(write_text)
"""For text that comes again and again, such as coins."""


def long_at(value: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where it ends.

    Raises:
        LookupError: it does not end.
        ValueError: it is longer than 64 bits.
    """
    rest = shift = 0
    while True:
        byte = value[at]
        at += 1
        rest |= (byte & 127) << shift
        if rest >> 64:
            raise ValueError
        if byte < 128:
            return (rest >> 1) ^ -(rest & 1), at
        shift += 7


def _time_low(written: bytes) -> int:
    a, b = written
    if not a & b & 128 or a & 1:
        raise ValueError
    return a >> 1 & 63 | (b & 127) << 6


def _time_high(written: bytes) -> int:
    c, d, e, f = written
    if f > 127 or not c & d & e & 128:
        raise ValueError
    return (c & 127) << 13 | (d & 127) << 20 | (e & 127) << 27 | f << 34


class Known(dict[bytes, T], Generic[T]):
    """What bytes stand for; when there are too many, they are learned anew."""

    def __init__(self, make: Callable[[bytes], T]) -> None:
        self._make = make

    def __missing__(self, written: bytes) -> T:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[written] = self._make(written)
        return made


TIME_LOW: Final = Known(_time_low)
TIME_HIGH: Final = Known(_time_high)
"""What the first two and the last four bytes of a time add to it; both are known after a while,
for the former come again every 8 s. ValueError for bytes that are none of a time.
"""

TEXTS: Final = Known(bytes.decode)
"""For text that comes again and again: the same text again, so that its hash is known too."""
