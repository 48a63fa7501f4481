"""What open chat pages are told while it happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from foreshock_simulator.telegram.model import Change

FEEDS_LIMIT: Final = 32
_BACKLOG_LIMIT: Final = 256


class TooManyFeeds(Exception):
    """More pages are open than the fake serves."""


class Feed:
    """Changes of one chat for one page; None says that the feed has ended."""

    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id
        self.changes: asyncio.Queue[Change | None] = asyncio.Queue(_BACKLOG_LIMIT)

    def end(self) -> None:
        """End the feed; what has not been read is dropped."""
        while not self.changes.empty():
            self.changes.get_nowait()
        self.changes.put_nowait(None)


class Feeds:
    """The open feeds. A page that reads too slowly is cut off: it comes back for a fresh start."""

    def __init__(self) -> None:
        self._feeds: set[Feed] = set()
        self._stopped = False

    @contextmanager
    def open(self, chat_id: int) -> Iterator[Feed]:
        """Subscribe to a chat.

        Raises:
            TooManyFeeds: `FEEDS_LIMIT` pages are open, or the server stops.
        """
        if self._stopped or len(self._feeds) >= FEEDS_LIMIT:
            raise TooManyFeeds
        feed = Feed(chat_id)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def tell(self, change: Change) -> None:
        """Hand a change to every page that shows its chat."""
        for feed in tuple(self._feeds):
            if change.chat_id not in (None, feed.chat_id):
                continue
            if feed.changes.full():
                self._feeds.discard(feed)
                feed.end()
            else:
                feed.changes.put_nowait(change)

    def stop(self) -> None:
        """End every feed, and open no more."""
        self._stopped = True
        for feed in self._feeds:
            feed.end()
