"""A recording as it is written: JSON lines in one zstd stream."""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import zstandard

from foreshock_kit.errors import ForeshockError

_FORMAT: Final = 2
_encode: Final = msgspec.json.Encoder().encode


class CannotWrite(ForeshockError):
    """The recording's file cannot be made or written."""


class Tape:
    """Writes what a venue says, verbatim, with receive times; a context manager.

    The file is new; without a frame it is taken away again, unless `keep` was said. What is not
    UTF-8 is written in base64. Every method raises `CannotWrite` when the file cannot be had or
    is full.
    """

    def __init__(self, file: Path, exchange: str) -> None:
        self._path = file
        self._kept = False
        try:
            self._file = file.open("xb")
        except FileExistsError as e:
            raise CannotWrite(f"{file} is there already, and stays: say another --output") from e
        except OSError as e:
            raise CannotWrite(str(e)) from e
        self._stream = zstandard.ZstdCompressor().stream_writer(self._file, closefd=False)
        about = {"t": "header", "format": _FORMAT, "exchange": exchange}
        self._put(about | {"recorded": _seconds(time.time_ns())})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            with self._file:
                self._stream.close()  # type: ignore[no-untyped-call]
        except OSError as e:
            raise CannotWrite(f"{self._path}: {e}") from e
        finally:
            if not self._kept:
                self._path.unlink()

    def keep(self) -> None:
        """Keep the file even if no frame comes."""
        self._kept = True

    def body(self, conn: str, url: str, body: bytes, json: str | None) -> int:
        """Write what a REST host answered; return when that was, ns since 1970 UTC."""
        said = {"url": url} | ({} if json is None else {"json": json})
        return self._write("http", conn, said | _data(body))

    def opened(self, conn: str, addr: str) -> None:
        """Write that a socket is open."""
        self._write("connect", conn, {"addr": addr})

    def frame(self, conn: str, frame: bytes) -> int:
        """Write a frame; return when it came, ns since 1970 UTC."""
        self._kept = True
        return self._write("recv", conn, _data(frame))

    def lost(self, conn: str, reason: str) -> None:
        """Write that a socket was lost."""
        self._write("disconnect", conn, {"reason": reason})

    def flush(self) -> None:
        """Hand everything to the system, so that a crash loses nothing of it."""
        try:
            self._stream.flush(zstandard.FLUSH_BLOCK)
            self._file.flush()
        except OSError as e:
            raise CannotWrite(f"{self._path}: {e}") from e

    def _write(self, what: str, conn: str, said: dict[str, Any]) -> int:
        now_ns = time.time_ns()
        self._put({"t": what, "conn": conn, "ts": _seconds(now_ns)} | said)
        return now_ns

    def _put(self, line: dict[str, Any]) -> None:
        try:
            self._stream.write(_encode(line) + b"\n")
        except OSError as e:
            raise CannotWrite(f"{self._path}: {e}") from e


def _seconds(time_ns: int) -> float:
    return time_ns // 1_000 / 1e6


def _data(raw: bytes) -> dict[str, Any]:
    try:
        return {"data": raw.decode()}
    except UnicodeDecodeError:
        return {"b64": raw}
