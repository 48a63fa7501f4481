"""What is answered: text, and the buttons beneath it."""

from collections.abc import Sequence
from typing import Final

import msgspec

Button = tuple[str, str]
"""What stands on a button, and the words that it says for whoever presses it."""

Rows = Sequence[Sequence[Button]]

_ABREAST: Final = 2


class Answer(msgspec.Struct, frozen=True):
    """Blocks of markup, and what the button under them asks for anew, or what there is to choose.

    Buttons say words that `Desk.refreshed`, or `/alerts`, understands.
    """

    blocks: list[str]
    refresh: str | None = None
    choices: tuple[Button, ...] = ()

    @property
    def rows(self) -> Rows:
        """The buttons beneath, row by row."""
        if self.refresh is not None:
            return [(("↻ Refresh", self.refresh),)]
        firsts = range(0, len(self.choices), _ABREAST)
        return [self.choices[first : first + _ABREAST] for first in firsts]
