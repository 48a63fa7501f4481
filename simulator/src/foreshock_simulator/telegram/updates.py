"""Updates that wait for the bot (https://core.telegram.org/bots/api#getupdates)."""

from collections import deque
from collections.abc import Collection
from typing import Final

PENDING_LIMIT: Final = 1_000


class Updates:
    """A bounded queue; an offset confirms everything before it.

    As with the real API a kind that the bot has not asked for is dropped when it happens, and the
    wish stays in force until another is sent. Beyond `PENDING_LIMIT` the oldest is forgotten.
    """

    def __init__(self) -> None:
        self._next_id = 1
        self._allowed: frozenset[str] = frozenset()
        self._pending: deque[dict[str, object]] = deque(maxlen=PENDING_LIMIT)

    def __len__(self) -> int:
        return len(self._pending)

    def allow(self, kinds: Collection[str]) -> None:
        """Take only these kinds from now on; none named means every kind."""
        self._allowed = frozenset(kinds)

    def add(self, kind: str, body: object) -> bool:
        """Queue an update, and say whether the bot wants its kind."""
        if self._allowed and kind not in self._allowed:
            return False
        self._pending.append({"update_id": self._next_id, kind: body})
        self._next_id += 1
        return True

    def confirm(self, offset: int) -> None:
        """Forget what lies before `offset`; a negative one keeps only that many of the newest."""
        if offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()
            return
        while self._pending and _id(self._pending[0]) < offset:
            self._pending.popleft()

    def clear(self) -> None:
        """Forget all that is pending."""
        self._pending.clear()

    def peek(self, limit: int) -> list[dict[str, object]]:
        """Return the oldest `limit` updates; they stay until they are confirmed."""
        return [self._pending[i] for i in range(min(limit, len(self._pending)))]


def _id(update: dict[str, object]) -> int:
    update_id = update["update_id"]
    assert isinstance(update_id, int)  # noqa: S101 - made by `add` alone
    return update_id
