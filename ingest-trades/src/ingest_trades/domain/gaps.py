"""Trades that a venue must have sent and that have not come, by its own gapless numbers."""

from collections import deque
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Final

import msgspec

from foreshock_schemas.events import Trade
from foreshock_schemas.ids import numbers_of

_PATIENCE_MS: Final = 1500
"""Frames may overtake one another by a second, and two sockets bring the same."""
_RENUMBERED: Final = 1_000_000
"""Numbers that fall back so far, or leap ahead, begin anew: the venue has changed its count."""
_ASKED: Final = 100
"""Gaps of a contract that are remembered once they are due."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers `first` to `last` of a contract are missing.

    The trades before and after it happened at `start_ms` and `end_ms` by the exchange's clock;
    `noticed_ms` is ours.
    """

    symbol: str
    first: int
    last: int
    start_ms: int
    end_ms: int
    noticed_ms: int

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return self.last - self.first + 1


class Gaps:
    """Follows the numbers of every contract of one exchange.

    A gap that was due may close in two ways, from the stream after all and by asking, and the same
    trades may be one event in one of them and several in the other: whatever has any number that
    has come is to be passed over, which `on_trade` and `on_refill` tell.
    """

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._seen_ms: dict[str, int] = {}
        self._open: dict[str, list[Gap]] = {}
        self._asked: dict[str, deque[_Asked]] = {}
        self._followed: AbstractSet[str] = frozenset()

    def follow(self, symbols: AbstractSet[str]) -> None:
        """Forget the numbers of all contracts but those that are followed still.

        What a contract trades while nobody follows it is not missing.
        """
        for symbol in self._next.keys() - (self._followed & symbols):
            del self._next[symbol], self._seen_ms[symbol]
            self._open.pop(symbol, None)
            self._asked.pop(symbol, None)
        self._followed = symbols

    def on_trade(self, trade: Trade) -> bool:
        """Note a trade's numbers: those skipped open a gap, those that come late close it.

        Returns whether none of them has come by asking.
        """
        first, last = numbers_of(trade.event_id)
        symbol = trade.symbol
        expected = self._next.get(symbol, first)
        if first != expected:
            if abs(first - expected) > _RENUMBERED:
                self._open.pop(symbol, None)
            elif first < expected:
                self._close(symbol, first, last)
                return self._take(symbol, first, last)
            else:
                self._skip(trade, expected, first - 1)
        self._next[symbol] = last + 1
        self._seen_ms[symbol] = trade.ts_event_ms
        return True

    def on_refill(self, trade: Trade) -> bool:
        """Note the numbers of a trade that was asked for; return whether none has come before."""
        return self._take(trade.symbol, *numbers_of(trade.event_id))

    def due(self, now_ms: int) -> list[Gap]:
        """Return the gaps that nothing late has closed, once each."""
        if not self._open:
            return []
        overdue_ms = now_ms - _PATIENCE_MS
        due = [gap for gap in chain(*self._open.values()) if gap.noticed_ms <= overdue_ms]
        for gap in due:
            self._asked.setdefault(gap.symbol, deque(maxlen=_ASKED)).append(_Asked(gap))
            self._open[gap.symbol].remove(gap)
            if not self._open[gap.symbol]:
                del self._open[gap.symbol]
        return due

    def _skip(self, trade: Trade, first: int, last: int) -> None:
        self._open.setdefault(trade.symbol, []).append(
            Gap(
                symbol=trade.symbol,
                first=first,
                last=last,
                start_ms=self._seen_ms[trade.symbol],
                end_ms=trade.ts_event_ms,
                noticed_ms=trade.ts_recv_ms,
            )
        )

    def _close(self, symbol: str, first: int, last: int) -> None:
        if symbol not in self._open:
            return
        parts = _without(self._open[symbol], first, last)
        self._open[symbol] = parts
        if not parts:
            del self._open[symbol]

    def _take(self, symbol: str, first: int, last: int) -> bool:
        for asked in self._asked.get(symbol, ()):
            if first <= asked.last and asked.first <= last:
                return asked.take(first, last)
        return True


class _Asked:
    """A gap that was due, and what of it is missing still."""

    def __init__(self, gap: Gap) -> None:
        self.first = gap.first
        self.last = gap.last
        self._missing = [gap]

    def take(self, first: int, last: int) -> bool:
        inner, outer = max(first, self.first), min(last, self.last)
        if not any(gap.first <= inner and outer <= gap.last for gap in self._missing):
            return False
        self._missing = _without(self._missing, first, last)
        return True


def _without(gaps: list[Gap], first: int, last: int) -> list[Gap]:
    return [
        msgspec.structs.replace(gap, first=start, last=end)
        for gap in gaps
        for start, end in (
            (gap.first, min(gap.last, first - 1)),
            (max(gap.first, last + 1), gap.last),
        )
        if start <= end
    ]
