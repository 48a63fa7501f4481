"""Volume by price over a day: where most was traded, and the band that holds 70 % of it.

The value area grows from the price of most volume by the larger of the next two rows on either
side until it holds 70 %: https://www.linnsoft.com/techind/value-area-value-area-high-value-area-low
"""

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Kline

_ROW: Final = 0.001
"""A row is 10 basis points high."""
_VALUE_SHARE: Final = 0.7
_HOUR_MS: Final = 3_600_000
_HOURS: Final = 24
_WIDTH: Final = 12

Rows = dict[int, float]


class ValueArea(msgspec.Struct, frozen=True):
    """Prices in USD: most traded, upper and lower end of the value area, and all money."""

    most_traded: float
    high: float
    low: float
    traded_usd: float


class _Hour:
    """By exchange: what history says of the hour, and what we have seen of it ourselves."""

    def __init__(self) -> None:
        self.history: dict[str, Rows] = {}
        self.live: dict[str, Rows] = {}


class Profile:
    """One coin's volume by price over a day. Where history knows an hour, live bars give way."""

    def __init__(self) -> None:
        self._hours: dict[int, _Hour] = {}

    def add_kline(self, kline: Kline) -> None:
        """Take an hour of history: its money is spread evenly from its low to its high."""
        if kline.interval != "1h" or (hour := self._hour(kline.start_ms)) is None:
            return
        low, high = _row(kline.low), _row(kline.high)
        share = kline.notional_usd / (high - low + 1)
        hour.history[kline.exchange] = dict.fromkeys(range(low, high + 1), share)

    def add_bar(self, bar: Bar) -> None:
        """Take a second of trades."""
        hour = self._hour(bar.start_ms - bar.start_ms % _HOUR_MS)
        if bar.close is None or hour is None:
            return
        rows = hour.live.setdefault(bar.exchange, {})
        row = _row(bar.close)
        rows[row] = rows.get(row, 0.0) + bar.notional_usd

    def rows(self) -> Rows:
        """Return money by row, over the hours kept."""
        total: Rows = {}
        for hour in self._hours.values():
            for rows in (hour.live | hour.history).values():
                for row, traded in rows.items():
                    total[row] = total.get(row, 0.0) + traded
        return total

    def _hour(self, start_ms: int) -> _Hour | None:
        """Return the hour that starts then; none if it is older than all that are kept."""
        if start_ms not in self._hours:
            self._hours[start_ms] = _Hour()
            if len(self._hours) > _HOURS:
                del self._hours[min(self._hours)]
        return self._hours.get(start_ms)


def value_area(rows: Mapping[int, float]) -> ValueArea | None:
    """Return the value area of a profile; `None` if nothing was traded."""
    total = sum(rows.values())
    if total <= 0:
        return None
    low = high = most = max(sorted(rows), key=lambda row: rows[row])
    held = rows[most]
    first, last = min(rows), max(rows)
    while held < total * _VALUE_SHARE and (low > first or high < last):
        above = rows.get(high + 1, 0.0) + rows.get(high + 2, 0.0) if high < last else -1.0
        below = rows.get(low - 1, 0.0) + rows.get(low - 2, 0.0) if low > first else -1.0
        if above >= below:
            high, held = min(high + 2, last), held + above
        else:
            low, held = max(low - 2, first), held + below
    return ValueArea(_price(most), _price(high), _price(low), total)


def picture(rows: Mapping[int, float], now_price: float | None, lines: int = 11) -> list[str]:
    """Return the profile as text bars, dearest first; the row of the price now is marked."""
    if not rows:
        return []
    first, last = min(rows), max(rows)
    height = max(1, math.ceil((last - first + 1) / lines))
    bands = [
        (start, sum(rows.get(row, 0.0) for row in range(start, start + height)))
        for start in range(first, last + 1, height)
    ]
    most = max(traded for _, traded in bands) or 1.0
    here = _row(now_price) if now_price else None
    return [
        f"{_price(start + height // 2):>12,.6g} {'█' * round(traded / most * _WIDTH):<{_WIDTH}}"
        f"{' ◄' if here is not None and start <= here < start + height else ''}"
        for start, traded in reversed(bands)
    ]


def _row(price: float) -> int:
    return math.floor(math.log(price) / _ROW)


def _price(row: int) -> float:
    return math.exp((row + 0.5) * _ROW)
