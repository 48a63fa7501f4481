"""One market-wide incident: many coins that move together for a while."""

from collections import deque
from collections.abc import Sequence
from math import fsum
from typing import Final, Literal

from alert_router.domain.subscribers import RANK
from foreshock_schemas.events import Severity, Signal

_QUIET_MS: Final = 5 * 60_000
_LONGEST_MS: Final = 60 * 60_000
_PAUSE_MS: Final = 60_000
_GROWTH: Final = 1.5
_LISTED: Final = 100
"""Signals that an alert lists; there may be thousands."""
_LIQUIDATED: Final = {"liquidation", "cascade"}

Direction = Literal["up", "down"]


class Episode:
    """What its signals add up to; it ends five minutes after the last, or after an hour.

    Of each coin only the largest sum counts, since a cascade's includes its single liquidations.
    The total is the same in whatever order the signals came.
    """

    def __init__(self, incident_id: str, opening: Sequence[Signal]) -> None:
        self.incident_id = incident_id
        self.revision = 1
        self.started_ms = self.first_ms = self.last_ms = min(each.ts_event_ms for each in opening)
        self.direction: Direction | None = None
        self.usd_of: dict[str, float] = {}
        self.floor = False
        self.joined = -len(opening)  # counts those that come after
        self.severity: Severity = "warning"
        self.newest = self.strongest = opening[0]
        self.signal_ids: deque[str] = deque(maxlen=_LISTED)
        for signal in opening:
            self.add(signal)
        self._tell(self.newest.ts_event_ms)

    @property
    def usd(self) -> float:
        """What was liquidated, as far as the signals say."""
        return fsum(self.usd_of.values())

    @property
    def coins(self) -> list[str]:
        """Its coins, those with most liquidated first."""
        return sorted(self.usd_of, key=lambda coin: (-self.usd_of[coin], coin))

    @property
    def ends_ms(self) -> int:
        """The last moment at which a signal still joins."""
        return min(self.last_ms + _QUIET_MS, self.started_ms + _LONGEST_MS)

    def takes(self, signal: Signal) -> bool:
        """Return whether a signal belongs here."""
        one_way = None in (self.direction, signal.direction) or self.direction == signal.direction
        return one_way and self.started_ms - _QUIET_MS <= signal.ts_event_ms <= self.ends_ms

    def add(self, signal: Signal) -> None:
        """Take a signal in."""
        self.newest = max(self.newest, signal, key=_recency)
        self.joined += 1
        self.first_ms = min(self.first_ms, signal.ts_event_ms)
        self.last_ms = max(self.last_ms, signal.ts_event_ms)
        self.direction = self.direction or signal.direction
        self.severity = max(self.severity, signal.severity, key=RANK.__getitem__)
        self.strongest = max(self.strongest, signal, key=_strength)
        self.signal_ids.append(signal.event_id)
        usd = signal.value if signal.kind in _LIQUIDATED and signal.unit == "usd" else 0.0
        self.floor |= usd > 0 and signal.coverage != "full"
        self.usd_of[signal.coin] = max(self.usd_of.get(signal.coin, 0.0), usd)

    def revise(self, now_ms: int) -> bool:
        """Return whether to tell it anew: a minute after the last time, if it grew by half."""
        if now_ms < self._told_ms + _PAUSE_MS or not self._grown():
            return False
        self.revision += 1
        self._tell(now_ms)
        return True

    def catch_up(self, now_ms: int) -> bool:
        """Like `revise`, as of the end of the minute: for growth while nothing could be told."""
        due_ms = self._told_ms + _PAUSE_MS
        return now_ms >= due_ms and self.revise(due_ms)

    def _grown(self) -> bool:
        more_coins = len(self.usd_of) >= _GROWTH * self._told_coins
        more_usd = self.usd > self._told_usd and self.usd >= _GROWTH * self._told_usd
        return more_coins or more_usd

    def _tell(self, at_ms: int) -> None:
        self._told_ms = at_ms
        self._told_coins = len(self.usd_of)
        self._told_usd = self.usd


def _recency(signal: Signal) -> tuple[int, int, str]:
    return signal.ts_recv_ms, signal.ts_event_ms, signal.event_id


def _strength(signal: Signal) -> tuple[int, float, str]:
    share = signal.value / signal.limit if signal.limit > 0 else 0.0
    return RANK[signal.severity], share, signal.event_id
