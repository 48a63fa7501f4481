"""Recordings of what a venue says: three ways to write them, each plain, gzip or zstd."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
import zstandard

from foreshock_kit.errors import ForeshockError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_CHUNK: Final = 64 * 1024
_LONGEST_LINE: Final = 64 * 1024 * 1024
_LONGEST_STAMP: Final = 19

_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


class Damaged(ForeshockError):
    """A recording's archive is cut off or broken."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What came over a socket, and when, by the recorder's clock; `None`: nobody noted it."""

    data: bytes
    recv_ns: int | None


class Body(msgspec.Struct, frozen=True, gc=False):
    """What a REST host answered to a GET of `url`, or to a POST of `json`, and when."""

    url: str
    data: bytes
    recv_ns: int
    json: str | None = None


class _Line(msgspec.Struct, gc=False):
    """A line of the third way; `t` says what happened. Binary data are in base64."""

    t: str
    conn: str
    data: str | None = None
    b64: bytes | None = None
    ts: Annotated[float, msgspec.Meta(ge=0, lt=1e10)] | None = None
    url: str = ""
    json: str | None = None


_line = msgspec.json.Decoder(_Line)


def frames(file: Path, at: Callable[[int], None] | None = None) -> Iterator[Frame]:
    """Yield a recording's websocket frames in their order.

    Reads bare frames one a line, `<recv_ns> <frame>`, and `{t,conn,ts,data}` lines, which are
    told apart by having both `t` and `conn`. `at` is told how many bytes of the file are read.

    Raises:
        OSError: The file cannot be read.
        Damaged: It is cut off or broken; it says after how many frames.
    """
    good = 0
    try:
        for line in _lines(file, at):
            text = line.strip()
            if text and (frame := _frame(text)) is not None:
                good += 1
                yield frame
    except _DAMAGED as e:
        raise Damaged(f"{file} is cut off or broken after {good} good frames ({e})") from e


def bodies(file: Path) -> Iterator[Body]:
    """Yield what REST hosts answered; where the file is damaged, what comes before that.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        for text in _lines(file):
            if b'"http"' in text and b'"conn"' in text and (body := _body(text)) is not None:
                yield body
    except _DAMAGED:
        return


def _lines(file: Path, at: Callable[[int], None] | None = None) -> Iterator[bytes]:
    begun: list[bytes] = []
    with file.open("rb") as packed:
        for chunk in _unpacked(packed):
            end, *more = chunk.split(b"\n")
            begun.append(end)
            if more:
                yield b"".join(begun)
                yield from more[:-1]
                begun = [more[-1]]
            elif sum(map(len, begun)) > _LONGEST_LINE:
                raise EOFError("a line of over 64 MiB")
            if at is not None:
                at(packed.tell())
    yield b"".join(begun)


def _unpacked(packed: BinaryIO) -> Iterator[bytes]:
    magic = packed.peek(4)[:4]  # type: ignore[attr-defined]
    if magic == _ZSTD:
        return _unzstd(packed)
    if magic.startswith(_GZIP):
        unzipped = gzip.GzipFile(fileobj=packed)
        return iter(lambda: unzipped.read1(_CHUNK), b"")
    return iter(lambda: packed.read(_CHUNK), b"")


def _unzstd(packed: BinaryIO) -> Iterator[bytes]:
    # zstandard's own readers stop after the first frame, and do not say that one is cut off
    unpacker, unpack = None, zstandard.ZstdDecompressor().decompressobj
    while chunk := packed.read(_CHUNK):
        while chunk:
            unpacker = unpacker or unpack()
            yield unpacker.decompress(chunk)
            chunk = unpacker.unused_data
            if unpacker.eof:
                unpacker = None
    if unpacker is not None:
        raise EOFError("the end is missing")


def _frame(text: bytes) -> Frame | None:
    stamp, space, rest = text.partition(b" ")
    if space and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP:
        return Frame(rest, int(stamp))
    if b'"conn"' in text or b'"t":"header"' in text:
        try:
            line = _line.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None if text.startswith(b'{"t":"header"') else Frame(text, None)
        data = _data(line)
        return None if line.t != "recv" or data is None else Frame(data, _recv_ns(line))
    return Frame(text, None)


def _body(text: bytes) -> Body | None:
    try:
        line = _line.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    data = _data(line)
    if line.t != "http" or data is None:
        return None
    return Body(line.url, data, _recv_ns(line) or 0, line.json)


def _data(line: _Line) -> bytes | None:
    return line.b64 if line.data is None else line.data.encode()


def _recv_ns(line: _Line) -> int | None:
    return None if line.ts is None else round(line.ts * 1e6) * 1000
