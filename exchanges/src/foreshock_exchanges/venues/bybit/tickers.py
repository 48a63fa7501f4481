"""What Bybit last said of each contract, as its tickers tell only what has changed.

https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
"""

from collections.abc import Sized
from typing import Any, Final

import msgspec

from foreshock_exchanges.base import Ignored, MarketEvent, Parsed, Unsized
from foreshock_exchanges.contract import Contract, check_time
from foreshock_exchanges.venues.bybit import wire
from foreshock_exchanges.wire import Amount, Hours, MillisOrNone, Positive, Signed, amount_or_none
from foreshock_schemas.ids import venue_id


class _Said(msgspec.Struct, frozen=True, gc=False):
    mark: float | None = None
    index: float | None = None
    funding_rate: float | None = None
    funding_interval_h: float | None = None
    next_funding_ms: int | None = None


_NOTHING: Final = _Said()


class Tickers:
    """The last word on each contract, of at most as many as are `known`."""

    def __init__(self, known: Sized) -> None:
        self._known = known
        self._last: dict[str, _Said] = {}

    def take(self, frame: wire.Ticker, contract: Contract, recv_ms: int) -> Parsed:
        """Return the mark and the open interest that are new in a frame, if any is.

        Raises:
            ValueError: The frame lies over 5 s in the future.
            msgspec.ValidationError: A number is not one.
        """
        check_time(frame.ts, recv_ms)
        row, symbol = frame.data, contract.symbol
        before = self._last.get(symbol, _NOTHING) if frame.type == "delta" else _NOTHING
        now = _after(before, row)
        coins = one_sided(row.single_open_interest, row.open_interest)
        if symbol not in self._last and len(self._last) >= len(self._known):
            self._last.clear()
        self._last[symbol] = now
        events: list[MarketEvent | Unsized] = []
        if now.mark is not None and row.mark_price:
            events.append(contract.mark(now.mark, now.index, frame.ts, recv_ms))
        if now.mark is not None and coins is not None:
            said = contract.premium(
                now.mark,
                now.index,
                now.funding_rate,
                frame.ts,
                funding_interval_h=now.funding_interval_h,
                next_funding_ms=now.next_funding_ms,
            )
            number = venue_id(contract.exchange, symbol, "tickers", frame.ts)
            events.append(
                contract.open_interest(number, coins * contract.multiplier, said, recv_ms)
            )
        return events or Ignored.UNCHANGED


def one_sided(single: str, both: str) -> float | None:
    """Return an open interest that counts each contract once, as on the wire.

    "both sides" say the docs of `openInterest`: the field of one side, there since 2026-06-11,
    is exactly half of it.
    """
    count, share = amount_or_none(single or both), 1.0 if single else 0.5
    return None if count is None else count * share


def _after(before: _Said, row: wire.TickerRow) -> _Said:
    return _Said(
        _told(row.mark_price, Positive, before.mark),
        _told(row.index_price, Amount, before.index),
        _told(row.funding_rate, Signed, before.funding_rate),
        _told(row.funding_interval_hour, Hours, before.funding_interval_h),
        _told(row.next_funding_time, MillisOrNone, before.next_funding_ms),
    )


def _told(text: str, kind: Any, before: Any) -> Any:
    return msgspec.convert(text, kind, strict=False) if text else before
