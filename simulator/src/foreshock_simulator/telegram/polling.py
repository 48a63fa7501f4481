"""Long polling: one poll waits at a time, and a newer one ends the older."""

import asyncio
from typing import Final, Literal

from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.updates import Updates

TIMEOUT_LIMIT_S: Final = 50
UPDATES_LIMIT: Final = 100

_End = Literal["news", "conflict", "stop"]


class Polling:
    """Hands out pending updates, and waits for them where the bot asked for that."""

    def __init__(self, updates: Updates) -> None:
        self._updates = updates
        self._waiting: asyncio.Future[_End] | None = None
        self._stopped = False

    def wake(self) -> None:
        """Let the waiting poll look again."""
        self._end("news")

    def stop(self) -> None:
        """End the waiting poll with what there is, and let none wait again."""
        self._stopped = True
        self._end("stop")

    async def poll(self, offset: int, limit: int, timeout_s: int) -> list[dict[str, object]]:
        """Confirm what lies before `offset` and return up to `limit` updates.

        Raises:
            Refused: Another poll came while this one waited.
        """
        self._end("conflict")
        self._updates.confirm(offset)
        limit = min(max(limit, 1), UPDATES_LIMIT)
        pending = self._updates.peek(limit)
        if pending or timeout_s <= 0 or self._stopped:
            return pending
        if await self._wait(min(timeout_s, TIMEOUT_LIMIT_S)) == "conflict":
            raise Refused.conflict()
        return self._updates.peek(limit)

    async def _wait(self, timeout_s: int) -> _End:
        waiting: asyncio.Future[_End] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        try:
            async with asyncio.timeout(timeout_s):
                return await waiting
        except TimeoutError:
            return "news"
        finally:
            if self._waiting is waiting:
                self._waiting = None

    def _end(self, why: _End) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(why)
