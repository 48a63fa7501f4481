"""A Bot API request after HTTP: the method and its parameters, read with the API's own refusals."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from foreshock_simulator.telegram.errors import Refused

_T = TypeVar("_T")
_INTEGER: Final = re.compile(r"-?\d{1,18}")
_TRUE: Final = frozenset({"true", "True", "yes", "1"})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A method in lower case, its parameters as text (JSON where nested) and uploaded files."""

    method: str
    params: Mapping[str, str]
    files: Mapping[str, bytes] = {}

    def text(self, name: str) -> str:
        """Return a parameter, empty if it is missing."""
        return self.params.get(name, "")

    def flag(self, name: str) -> bool:
        """Return a Boolean parameter, False if it is missing."""
        return self.text(name) in _TRUE

    def integer(self, name: str, default: int = 0) -> int:
        """Return a parameter as an integer, `default` if it is missing or none."""
        text = self.text(name).strip()
        return int(text) if _INTEGER.fullmatch(text) else default

    def chat_id(self) -> int:
        """Return the chat.

        Raises:
            Refused: It is missing, or the name of a channel, of which there are none.
        """
        text = self.text("chat_id").strip()
        if not text:
            raise Refused.bad_request("chat_id is empty")
        if not _INTEGER.fullmatch(text):
            raise Refused.bad_request("chat not found")
        return int(text)

    def maybe_chat_id(self) -> int | None:
        """Return the chat if the call names one."""
        text = self.text("chat_id").strip()
        return int(text) if _INTEGER.fullmatch(text) else None

    def decoded(self, name: str, kind: type[_T], what: str) -> _T | None:
        """Return a JSON parameter, None if it is missing.

        Raises:
            Refused: It is no `kind`; `what` is how the API names such an object.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeEncodeError) as e:
            raise Refused.bad_request(f"can't parse {what} JSON object") from e
