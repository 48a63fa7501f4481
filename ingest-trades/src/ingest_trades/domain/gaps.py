"""Trades that a venue must have sent and that have not come, by its own gapless numbers."""

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
    """Follows the numbers of every contract of one exchange."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._seen_ms: dict[str, int] = {}
        self._open: dict[str, list[Gap]] = {}
        self._followed: AbstractSet[str] = frozenset()

    def follow(self, symbols: AbstractSet[str]) -> None:
        """Forget the numbers of all contracts but those that are followed still.

        What a contract trades while nobody follows it is not missing.
        """
        for symbol in self._next.keys() - (self._followed & symbols):
            del self._next[symbol], self._seen_ms[symbol]
            self._open.pop(symbol, None)
        self._followed = symbols

    def on_trade(self, trade: Trade) -> None:
        """Note a trade's numbers: those skipped open a gap, those that come late close it."""
        first, last = numbers_of(trade.event_id)
        symbol = trade.symbol
        expected = self._next.get(symbol, first)
        if first != expected:
            if abs(first - expected) > _RENUMBERED:
                self._open.pop(symbol, None)
            elif first < expected:
                self._close(symbol, first, last)
                return
            else:
                self._skip(trade, expected, first - 1)
        self._next[symbol] = last + 1
        self._seen_ms[symbol] = trade.ts_event_ms

    def due(self, now_ms: int) -> list[Gap]:
        """Return the gaps that nothing late has closed, once each."""
        if not self._open:
            return []
        overdue_ms = now_ms - _PATIENCE_MS
        due = [gap for gap in chain(*self._open.values()) if gap.noticed_ms <= overdue_ms]
        for gap in due:
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
        parts = [
            msgspec.structs.replace(gap, first=start, last=end)
            for gap in self._open[symbol]
            for start, end in (
                (gap.first, min(gap.last, first - 1)),
                (max(gap.first, last + 1), gap.last),
            )
            if start <= end
        ]
        self._open[symbol] = parts
        if not parts:
            del self._open[symbol]
