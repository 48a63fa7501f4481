"""Which 15-minute candles of a venue's contracts are loaded: a week's, and what gaps leave out."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Kline

INTERVAL: Final = "15m"
_CANDLE_MS: Final = 15 * 60_000
_WEEK: Final = 7 * 24 * 4
_LATE_MS: Final = 60_000
_AGAIN_MS: Final = 10 * 60_000
"""When there was no answer, or nothing new: a contract that is young, or stands still."""
_MISSED_POLLS: Final = 3
_KEPT_MS: Final = 3 * 86_400_000


class _Week(msgspec.Struct):
    """One contract's, heard since `since_ms` and last at `heard_ms`.

    Its candles are loaded up to `until_ms`, and between `from_ms` and `to_ms` by a load that was
    not brought to its end.
    """

    since_ms: int
    heard_ms: int
    until_ms: int = 0
    from_ms: int = 0
    to_ms: int = 0
    again_ms: int = 0


class Weeks:
    """Knows what is to be asked for of each contract followed on one venue: a few numbers each.

    That is a week before it was heard first, and later what passed while three polls, or 15
    minutes, brought nothing of it: who else listens to the venue lacks that time, too.
    """

    def __init__(self, poll_ms: int) -> None:
        self._gap_ms = max(_CANDLE_MS, _MISSED_POLLS * poll_ms)
        self._weeks: dict[str, _Week] = {}

    def heard(self, symbols: Collection[str], now_ms: int) -> None:
        """Note which contracts a poll has brought; who was not among them for 3 days is new."""
        for symbol in symbols:
            week = self._weeks.setdefault(symbol, _Week(now_ms, now_ms))
            if now_ms - week.heard_ms > self._gap_ms:
                if week.until_ms >= week.since_ms:
                    week.until_ms = week.heard_ms // _CANDLE_MS * _CANDLE_MS
                week.since_ms = now_ms
            week.heard_ms = now_ms
        oldest_ms = now_ms - _KEPT_MS
        for symbol in [s for s, week in self._weeks.items() if week.heard_ms < oldest_ms]:
            del self._weeks[symbol]

    def missing(self, symbol: str, now_ms: int) -> int:
        """Return how many of the newest candles to ask for, the one still open among them.

        None of a contract that was never heard. The candle in which it was heard first is asked
        for when it has been over for a minute.
        """
        week = self._weeks.get(symbol)
        if week is None or week.until_ms >= week.since_ms or now_ms < week.again_ms:
            return 0
        passed_ms = now_ms - week.until_ms
        return min(_WEEK, passed_ms // _CANDLE_MS) + 1 if passed_ms > _CANDLE_MS + _LATE_MS else 0

    def add(self, symbol: str, page: Sequence[Kline], now_ms: int) -> list[Kline]:
        """Take a page, oldest candle first; pages come the newest first.

        Returns the candles that are finished and new, none older than a week.
        """
        week = self._weeks[symbol]
        loaded_ms = max(week.until_ms, now_ms - _WEEK * _CANDLE_MS)
        new = [
            each
            for each in page
            if loaded_ms < each.ts_event_ms <= now_ms
            and not week.from_ms < each.ts_event_ms <= week.to_ms
        ]
        if new:
            week.from_ms = min(new[0].start_ms, week.from_ms or new[0].start_ms)
            week.to_ms = max(new[-1].ts_event_ms, week.to_ms)
        return new

    def complete(self, symbol: str, now_ms: int) -> None:
        """Note that there are no more pages."""
        week = self._weeks[symbol]
        week.again_ms = 0 if week.to_ms else now_ms + _AGAIN_MS
        week.until_ms = max(week.until_ms, week.to_ms)
        week.from_ms = week.to_ms = 0

    def put_off(self, symbol: str, now_ms: int) -> None:
        """Ask again in ten minutes: there was no answer."""
        self._weeks[symbol].again_ms = now_ms + _AGAIN_MS
