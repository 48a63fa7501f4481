"""Open interest as it is polled from each venue, with what can be wrong about it."""

import math
from typing import Final

from numpy.random import Generator

from foreshock_schemas.events import OpenInterest
from foreshock_schemas.ids import venue_id
from foreshock_simulator.offline.day import STEP_MS, Day
from foreshock_simulator.offline.troubles import Troubles
from foreshock_simulator.offline.venues import Terms

_MINUTE_MS: Final = 60_000
_SHARE_SD: Final = 0.01
_SHARE_REVERTS_MIN: Final = 360.0
_ANSWERS_MS: Final = (200, 800)
_LATE_MS: Final = (30_000, 60_000)
_FUNDING_H: Final = 8.0
_FUNDING_MS: Final = round(_FUNDING_H) * 3_600_000


class Poll:
    """One venue's open interest of one coin, poll after poll."""

    def __init__(self, venue: Terms, troubles: Troubles, rng: Generator) -> None:
        self._venue = venue
        self._troubles = troubles
        self._rng = rng
        self._apart = 0.0
        self._last = 0.0
        self._changed_ms = self._comparable_since_ms = 0

    def day(self, day: Day) -> list[OpenInterest]:
        """Return the readings of a day."""
        every = self._troubles.poll_min
        minutes = range(0, len(day) * STEP_MS // _MINUTE_MS, every)
        found = []
        for minute in minutes:
            self._drift(every)
            at_ms = day.start_ms + minute * _MINUTE_MS + self._venue.asked_after_ms
            if not self._troubles.out(self._venue.name, at_ms):
                found.append(self._reading(day, at_ms))
        return found

    def _drift(self, minutes: int) -> None:
        part = minutes / _SHARE_REVERTS_MIN
        kick = _SHARE_SD * math.sqrt(2 * part) * float(self._rng.standard_normal())
        self._apart += kick - self._apart * part

    def _reading(self, day: Day, at_ms: int) -> OpenInterest:
        venue, step = self._venue, (at_ms - day.start_ms) // STEP_MS
        coins, mark = self._said(float(day.interest[step]), at_ms), float(day.mark[step])
        waits = _LATE_MS if self._troubles.poll_min > 1 else _ANSWERS_MS
        symbol = venue.symbol.format(day.coin)
        return OpenInterest(
            event_id=venue_id(venue.name, symbol, "oi", at_ms),
            ts_event_ms=at_ms,
            ts_recv_ms=at_ms + int(self._rng.integers(*waits)),
            exchange=venue.name,
            symbol=symbol,
            coin=day.coin,
            open_interest_coins=coins,
            open_interest_usd=coins * mark,
            mark_price=mark,
            index_price=float(day.index[step]),
            funding_rate=float(day.funding[step]),
            funding_interval_h=_FUNDING_H,
            next_funding_ms=(at_ms // _FUNDING_MS + 1) * _FUNDING_MS,
            comparable_since_ms=self._comparable_since_ms,
        )

    def _said(self, interest: float, at_ms: int) -> float:
        """Return what the venue says; that it counts in another way is noticed one poll late."""
        venue, troubles = self._venue, self._troubles
        self._comparable_since_ms = self._changed_ms
        self._changed_ms = troubles.changed_ms(venue.name, at_ms)
        if not troubles.frozen(venue.name, at_ms):
            self._last = interest * venue.share * math.exp(self._apart)
        return self._last * troubles.factor(venue.name, at_ms)
