"""Pictures that bots have sent, kept while there is room."""

import hashlib
import struct
from collections import OrderedDict
from typing import Final

from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.model import Photo

STORE_LIMIT_BYTES: Final = 32 * 1024 * 1024

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_SIDES_LIMIT: Final = 10_000  # width and height together, in pixels


class Photos:
    """Pictures by id; the oldest go when all together pass `limit_bytes`."""

    def __init__(self, limit_bytes: int = STORE_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._photos: OrderedDict[str, tuple[Photo, bytes]] = OrderedDict()

    def put(self, data: bytes) -> Photo:
        """Keep a PNG or JPEG and return what the Bot API says of it.

        Raises:
            Refused: It is no picture, or one with impossible sides.
        """
        width, height = _size(data)
        if not 0 < width + height <= _SIDES_LIMIT:
            raise Refused.bad_request("PHOTO_INVALID_DIMENSIONS")
        file_id = "photo-" + hashlib.sha256(data).hexdigest()[:32]
        photo = Photo(file_id=file_id, width=width, height=height, file_size=len(data))
        if file_id not in self._photos:
            self._photos[file_id] = (photo, data)
            self._held += len(data)
        while self._held > self._limit and len(self._photos) > 1:
            _, (_, dropped) = self._photos.popitem(last=False)
            self._held -= len(dropped)
        return photo

    def known(self, file_id: str) -> Photo | None:
        """Return the picture sent before under `file_id`, if it is still kept."""
        found = self._photos.get(file_id)
        return found[0] if found else None

    def read(self, file_id: str) -> tuple[str, bytes] | None:
        """Return the media type and the bytes of a kept picture."""
        found = self._photos.get(file_id)
        if found is None:
            return None
        return ("image/png" if found[1].startswith(_PNG) else "image/jpeg"), found[1]


def _size(data: bytes) -> tuple[int, int]:
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        if data.startswith(_JPEG):
            return _jpeg_size(data)
    except struct.error:
        pass
    raise Refused.bad_request("IMAGE_PROCESS_FAILED")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while True:  # ends at the frame header, or by struct.error at the end of the data
        marker, length = struct.unpack_from(">HH", data, at)
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + max(length, 2)
