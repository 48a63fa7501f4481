"""What went wrong, told on stderr: each trouble, and of refused frames the first few."""

from typing import Final

from rich.console import Console

from foreshock_exchanges.wire import gunzip

_FRAMES_TOLD: Final = 10
_SHOWN_BYTES: Final = 200


class Complaints:
    """Says on `console` what went wrong in a command."""

    def __init__(self, command: str) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._command = command
        self._refused = 0

    def say(self, problem: str) -> None:
        """Tell a trouble, in red and in one line."""
        self.console.print(f"foreshock {self._command}: {problem}", style="red", markup=False)

    def refused(self, reason: str, frame: bytes) -> None:
        """Tell of a frame that could not be taken, unpacked, unless many were told already."""
        self._refused += 1
        if self._refused <= _FRAMES_TOLD:
            self.say(f"{reason}: {_unpacked(frame)[:_SHOWN_BYTES]!r}")

    def say_how_many_more(self) -> None:
        """Tell how many refused frames were kept quiet about."""
        if self._refused > _FRAMES_TOLD:
            self.say(f"and {self._refused - _FRAMES_TOLD} more that could not be taken")


def _unpacked(frame: bytes) -> bytes:
    try:
        return gunzip(frame)
    except ValueError:
        return frame
