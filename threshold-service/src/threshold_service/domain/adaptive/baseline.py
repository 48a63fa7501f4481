"""What is expected of one venue: a level that follows the market, times a seasonal profile."""

import math
from typing import Final, Self

import msgspec

from foreshock_schemas.events import Kline
from threshold_service.domain.adaptive.scale import Scale
from threshold_service.domain.adaptive.seasons import Seasons

QUIET_USD: Final = 100.0
"""Added to a minute's volume before its logarithm is taken: below it nothing matters."""

_KNOWN_MIN: Final = 30
_LEVEL_RATE: Final = 1 - 2 ** (-1 / 60)
"""A minute's weight in the level: a half-life of an hour."""

_ANCHOR_RATE: Final = 1 - 2 ** (-1 / 1_440)
"""A minute's weight in the anchor: a half-life of a day."""

_AFRESH_MIN: Final = 60
"""After a longer gap the level is found afresh."""

_AFRESH_RATE: Final = 0.1
"""The first minute's weight then; the n-th weighs an n-th of it, down to the usual weight."""

_PAST_LEVEL_RATE: Final = 0.5
_PAST_ANCHOR_RATE: Final = 1 - 2 ** (-1 / 24)
"""An hour's weight in level and anchor, with the same half-lives."""

_CLIP: Final = 2.0
"""The most that one minute pulls, in logarithms: a spike of 7 times or more weighs no more."""

_PRIOR_MIN: Final = 3 * 1_440
"""The weight of the original requirements' sessions against the hours that were learned."""

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_QUARTER_MS: Final = 900_000
_QUARTERS: Final = 4


class Candle(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is kept of a `Kline` to learn from."""

    exchange: str
    interval: str
    start_ms: int
    ts_event_ms: int
    ts_recv_ms: int
    notional_usd: float

    @classmethod
    def of(cls, kline: Kline) -> Self:
        """Return a candle with what is learned from."""
        return cls(
            kline.exchange,
            kline.interval,
            kline.start_ms,
            kline.ts_event_ms,
            kline.ts_recv_ms,
            kline.notional_usd,
        )


class Expected(msgspec.Struct, gc=False):
    """What a minute should bring in USD, and what the profile adds to its logarithm."""

    usd: float = 0.0
    hour: float = 0.0
    minute: float = 0.0


class Baseline(msgspec.Struct, kw_only=True):
    """What one venue's minutes (numbers since 1970) have taught about those to come.

    The logarithm of a minute's volume is a level, plus parts of the hour of the week and of the
    minute of the hour. The level (half-life an hour) follows the market, so that another regime
    is soon the usual one. The profile is learned against an anchor (half-life a day): a level
    that follows the market would swallow the ups and downs of the hours. Until those are known,
    the original requirements' sessions stand in, with the weight of 3 days.
    """

    seasons: Seasons = msgspec.field(default_factory=Seasons)
    level: float = 0.0
    anchor: float = 0.0
    own_min: int = 0
    first_min: int = 0
    last_min: int = 0
    afresh_min: int = 0
    past_ms: int = 0
    quarters: list[float] = []
    quarters_ms: int = 0
    spread: Scale = msgspec.field(default_factory=lambda: Scale(7 * 86_400.0))

    @property
    def known(self) -> bool:
        """Whether it can say what to expect: after 30 minutes, or an hour of history."""
        return self.own_min >= _KNOWN_MIN or self.past_ms > 0

    def expected(self, minute: int, session: float) -> Expected:
        """Return what a minute should bring; `session` is the requirements' multiplier for it."""
        hour, of_hour = self._hour_part(minute, session), self.seasons.minute_part(minute)
        usd = math.exp(self.level + hour + of_hour) - QUIET_USD
        return Expected(max(usd, 0.0), hour, of_hour)

    def on_minute(self, minute: int, usd: float, session: float) -> None:
        """Learn from a minute that was heard from beginning to end."""
        seasons = self.seasons
        seen = math.log(usd + QUIET_USD) - seasons.minute_part(minute)
        of_level, of_anchor = self._hour_part(minute, session), seasons.hour_part(minute)
        if not self.own_min:
            self.first_min = minute
            if not self.past_ms:
                self.level, self.anchor = seen - of_level, seen - of_anchor
        gone_min, self.last_min = minute - self.last_min, minute
        self.afresh_min = self.afresh_min + 1 if gone_min <= _AFRESH_MIN else 1
        self.own_min += 1
        off = seen - of_anchor - self.anchor
        seasons.learn(minute, off)
        self.anchor += max(_ANCHOR_RATE, _AFRESH_RATE / self.own_min) * _clipped(off)
        rate = max(_LEVEL_RATE, _AFRESH_RATE / self.afresh_min)
        self.level += rate * _clipped(seen - of_level - self.level)

    def on_candle(self, candle: Candle) -> None:
        """Learn from a candle of before its own minutes, oldest first; repeats are ignored."""
        usd = candle.notional_usd
        if not 0 <= usd < math.inf or (
            self.own_min and candle.ts_event_ms > self.first_min * _MINUTE_MS
        ):
            return
        if candle.interval == "1h":
            self._on_hour(candle.start_ms, math.log(usd / 60 + QUIET_USD))
        else:
            self._on_quarter(candle.start_ms, math.log(usd / 15 + QUIET_USD))

    def _on_hour(self, start_ms: int, seen: float) -> None:
        if start_ms <= self.past_ms:
            return
        first, self.past_ms = not self.past_ms, start_ms
        minute = start_ms // _MINUTE_MS
        seen -= self.seasons.hour_part(minute + 30)
        if first:
            self.anchor = seen
        off = seen - self.anchor
        self.seasons.learn_hour(minute, off)
        self.anchor += _PAST_ANCHOR_RATE * _clipped(off)
        if self.own_min < _KNOWN_MIN:
            self.level = seen if first else self.level + _PAST_LEVEL_RATE * (seen - self.level)

    def _on_quarter(self, start_ms: int, seen: float) -> None:
        quarter = start_ms % _HOUR_MS // _QUARTER_MS
        if start_ms != self.quarters_ms + _QUARTER_MS or not quarter:
            if quarter or start_ms <= self.quarters_ms:
                return
            self.quarters = []
        self.quarters_ms = start_ms
        self.quarters.append(seen)
        if len(self.quarters) < _QUARTERS:
            return
        mean = sum(self.quarters) / _QUARTERS
        for quarter, logarithm in enumerate(self.quarters):
            off = logarithm - mean
            self.spread.add(off - self.seasons.minutes[quarter * 15], start_ms)
            self.seasons.learn_quarter(quarter, off)

    def _hour_part(self, minute: int, session: float) -> float:
        trust = self.seasons.learned_min / (self.seasons.learned_min + _PRIOR_MIN)
        return trust * self.seasons.hour_part(minute) + (1 - trust) * math.log(session)


def _clipped(off: float) -> float:
    return max(-_CLIP, min(_CLIP, off))
