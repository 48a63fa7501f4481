"""Recordings of a venue's frames: three ways to write them, each plain, gzip or zstd."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec
import zstandard

from foreshock_kit.errors import ForeshockError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


class Damaged(ForeshockError):
    """A recording's archive is cut off or broken."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What came over a socket, and when, by the recorder's clock; `None`: nobody noted it."""

    data: bytes
    recv_ns: int | None


class _Line(msgspec.Struct):
    """A line of the third way; `t` says what happened, `recv` that a frame came."""

    t: str
    conn: str
    data: str | None = None
    ts: float = 0.0


_line = msgspec.json.Decoder(_Line)


def frames(file: Path) -> Iterator[Frame]:
    """Yield a recording's websocket frames in their order.

    Reads bare frames one a line, `<recv_ns> <frame>`, and `{t,conn,ts,data}` lines, which are
    told apart by having both `t` and `conn`.

    Raises:
        OSError: The file cannot be read.
        Damaged: It is cut off or broken; it says after how many frames.
    """
    good = 0
    try:
        with _opened(file) as stream:
            for line in stream:
                text = line.strip()
                if text and (frame := _frame(text)) is not None:
                    good += 1
                    yield frame
    except _DAMAGED as e:
        raise Damaged(f"{file} is cut off or broken after {good} good frames ({e})") from e


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as probe:
        magic = probe.read(4)
    if magic.startswith(_GZIP):
        return cast("BinaryIO", gzip.open(file, "rb"))
    if magic == _ZSTD:
        return io.BufferedReader(zstandard.open(file, "rb"))
    return file.open("rb")


def _frame(text: bytes) -> Frame | None:
    stamp, space, rest = text.partition(b" ")
    if space and stamp.isdigit():
        return Frame(rest, int(stamp))
    if b'"conn"' in text or b'"t":"header"' in text:
        try:
            line = _line.decode(text)
        except msgspec.DecodeError:
            return None if text.startswith(b'{"t":"header"') else Frame(text, None)
        if line.t != "recv" or line.data is None:
            return None
        return Frame(line.data.encode(), int(line.ts * 1e9))
    return Frame(text, None)
