"""What is to be run as a process."""

from pathlib import Path
from typing import Final

import msgspec

_LAST_WORDS_S: Final = 1.0


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A module to run as a process, with its words and its whole environment.

    `announces` is a file in which it says where it answers: removed before each start. Told to
    stop, it has `grace_s` for it, by its own watch; if that fails, it is killed.
    """

    name: str
    module: str
    env: dict[str, str]
    words: tuple[str, ...] = ()
    log: Path | None = None
    announces: Path | None = None
    grace_s: float = 0.0

    @property
    def stop_s(self) -> float:
        """How long after being told to stop it is killed."""
        return self.grace_s + _LAST_WORDS_S
