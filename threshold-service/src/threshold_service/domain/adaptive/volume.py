"""Volume spikes: far more traded in seconds or minutes than these venues bring at this time."""

from typing import Final

import msgspec

from foreshock_schemas.events import Bar
from threshold_service.domain.adaptive.baseline import Baseline, Candle
from threshold_service.domain.adaptive.budget import Budget
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.seconds import SPANS_S, Seconds
from threshold_service.domain.adaptive.sketch import Sketch
from threshold_service.domain.adaptive.venue import Venue, bought_of, is_calm, profile_of
from threshold_service.domain.adaptive.volume_finding import SAMPLE_S, Spike, finding_of
from threshold_service.domain.adaptive.window import Window
from threshold_service.domain.surroundings import FLOOR_SHARE, UNSEEN, Surroundings
from threshold_service.domain.windows import cents_of

SHADOW_S: Final = 86_400
"""Seconds that must have been heard, or read of one venue's history, before it speaks."""

_LONGEST_BAR_S: Final = 30
_FLOOR_OVER_S: Final = 900
_REFRESH_S: Final = 600
_DAY_OF_SAMPLES: Final = 86_400 / SAMPLE_S
_DAY_OF_QUARTERS: Final = 96
_QUARTER_TO_WINDOW: Final = 2.0
"""Quarters against the mean of their hour differ half as much as windows of 5 min, if minutes are
independent: a quarter is 3 windows, and a fourth of the mean. (1 / 3 x 3 / 4) ** 0.5 = 0.5."""

_RISE: Final = 1.5
_NO_SCORE: Final = -100.0
_SEVERE_ONCE_IN: Final = 1e6
_SEVERE_TIMES: Final = 10.0
_SEVERE_GAP_MS: Final = 900_000
_SEVERE_UNTIL_KNOWN: Final = 15.0


class Volume(msgspec.Struct, kw_only=True):
    """One coin's volume over 10, 60 and 300 s against what is expected of the venues heard.

    A window's score is the logarithm of seen by expected, in robust standard deviations of that
    window, corrected for its length (`Window.edge`). The largest score of those windows that reach
    the floor in USD, a fifth of the original requirements' limit, is held against one limit: a
    spike shows in several windows, and limits apart would pay for it more than once. `severe` is
    the score that one sample in a million exceeds: with ten times the expected volume a spike
    beyond it is critical, and told beside the budget. `heard_s` counts the seconds in which any
    venue was heard, up to `heard_to`.
    """

    venues: dict[str, Venue] = {}
    seconds: Seconds = msgspec.field(default_factory=Seconds)
    windows: list[Window] = msgspec.field(default_factory=lambda: [Window.of(s) for s in SPANS_S])
    scores: Sketch = msgspec.field(default_factory=Sketch)
    budget: Budget = msgspec.field(default_factory=lambda: Budget(rise=_RISE))
    severe: float = _SEVERE_UNTIL_KNOWN
    severe_ms: int = 0
    severe_told_ms: int = 0
    session: float = 1.0
    out: list[str] = []
    heard_s: int = 0
    heard_to: int = 0
    taught_min: int = 0
    warm: bool = False

    @property
    def learned(self) -> bool:
        """Whether it speaks: after a day heard, or a day of history; before, it is in shadow."""
        return self.heard_s >= SHADOW_S or self.taught_min * 60 >= SHADOW_S

    def on_candle(self, candle: Candle) -> None:
        """Learn from a candle of history, oldest first for each venue."""
        baseline = self._venue(candle.exchange).baseline
        baseline.on_candle(candle)
        self._note_taught(baseline)
        if baseline.spread.samples == _DAY_OF_QUARTERS:
            self.windows[-1].warm(baseline.spread.mad * _QUARTER_TO_WINDOW)

    def on_bar(self, bar: Bar, offset: int, around: Surroundings) -> Finding | None:
        """Count a bar; return the spike that it completes, if any. Repeats change nothing."""
        last = bar.ts_event_ms // 1000 - 1
        venue, seconds = self._venue(bar.exchange), self.seconds
        sampled = last > seconds.now_s and self._advance(last, around)
        heard = self._hear(venue, bar, last) if last >= venue.end_s else self._hear_late(venue, bar)
        if heard:
            seconds.note(last, offset, cents_of(bar.largest_cluster_usd), bar.exchange)
        if sampled or (heard and self._exceeds()):
            return self._judge(bar, offset, around)
        return None

    def _note_taught(self, baseline: Baseline) -> None:
        self.taught_min = max(self.taught_min, baseline.seasons.learned_min)

    def _venue(self, exchange: str) -> Venue:
        venue = self.venues.get(exchange)
        if venue is None:
            venue = self.venues[exchange] = Venue()
        return venue

    def _hear(self, venue: Venue, bar: Bar, last: int) -> bool:
        cents, seconds = cents_of(bar.notional_usd), self.seconds
        if not cents and bar.exchange in self.out:
            venue.miss(last)
            return False
        first = bar.start_ms // 1000
        if first != last:
            first = min(max(first, last + 1 - _LONGEST_BAR_S), last)
        start = venue.heard_from(first)
        self.heard_s += max(0, last + 1 - max(start, self.heard_to))
        self.heard_to = max(last + 1, self.heard_to)
        each = cents if first == last else cents // (last + 1 - max(first, start))
        bought_each = bought_of(bar, each)
        for second in range(start, last + 1):
            if second // 60 != venue.minute:
                venue.turn(second // 60, self.session)
                self._note_taught(venue.baseline)
            traded, bought = (each, bought_each) if second >= first else (0, 0)
            venue.hear(second, traded)
            if venue.known:
                seconds.add(second, traded, venue.due, bought)
        if venue.known and bar.late_notional_usd:
            late = cents_of(bar.late_notional_usd)
            seconds.add(last, late, 0, late // 2)
        return venue.known

    def _hear_late(self, venue: Venue, bar: Bar) -> bool:
        second, cents = bar.ts_event_ms // 1000 - 1, cents_of(bar.notional_usd)
        due = venue.hear_late(second, cents)
        if due is None:
            return False
        self.seconds.add(second, cents, due, bought_of(bar, cents))
        return True

    def _advance(self, last: int, around: Surroundings) -> bool:
        """Go on to a second; return whether a sample was taken on the way."""
        seconds, silent_s = self.seconds, last - self.seconds.now_s
        if not is_calm(silent_s, self.venues.values()):
            seconds.restart(last)
            self._look(around)
            return False
        sampled = False
        for second in range(seconds.now_s + 1, last + 1):
            if not second % SAMPLE_S:
                self._sample(second)
                self._look(around)
                sampled = True
            seconds.step()
        return sampled

    def _sample(self, second: int) -> None:
        """Learn from the windows that ended with the second before this one."""
        ms, best = second * 1000, _NO_SCORE
        for i, window in enumerate(self.windows):
            due = self.seconds.due_sums[i]
            if second % window.span_s or not due or not self.seconds.covers(window.span_s):
                continue
            x = window.log_ratio(self.seconds.seen_sums[i], due)
            if window.ready:
                best = max(best, window.score(x))
            window.scale.add(x, ms)
        if best > _NO_SCORE:
            self.scores.add(best, ms)
        if ms >= self.severe_ms and self.scores.weight >= _DAY_OF_SAMPLES:
            self.severe_ms = ms + _REFRESH_S * 1000
            self.severe = self.scores.exceeded_once_in(_SEVERE_ONCE_IN) or self.severe

    def _look(self, around: Surroundings) -> None:
        threshold = around.threshold
        self.session = threshold.session_multiplier
        cents_per_s = 100 * FLOOR_SHARE * (threshold.volume_15m_usd or 0.0) / _FLOOR_OVER_S
        self.out = [f.exchange for f in around.feeds("trades") if f.state in UNSEEN]
        for window in self.windows:
            window.floor = cents_per_s * window.span_s
            window.aim(self.budget.limit)
        if not self.warm and self.learned:
            self._start(around.budget("volume_spike"))

    def _start(self, per_day: float) -> None:
        """Leave the shadow: its samples exceed the limit at least as often as the budget allows."""
        self.warm = True
        if per_day > 0 and self.scores.weight >= _DAY_OF_SAMPLES / 2:
            often = self.scores.exceeded_once_in(_DAY_OF_SAMPLES / per_day) or 0.0
            self.budget.warm(min(self.budget.threshold, often))

    def _exceeds(self) -> bool:
        """Return whether a window is worth judging: an estimate that is quick to make."""
        seen_sums, due_sums = self.seconds.seen_sums, self.seconds.due_sums
        for i, window in enumerate(self.windows):
            seen = seen_sums[i]
            if seen >= window.floor and seen > window.ratio * due_sums[i] + window.base:
                return True
        return False

    def _score(self, index: int) -> float:
        window = self.windows[index]
        seen, due = self.seconds.seen_sums[index], self.seconds.due_sums[index]
        if not due or seen < window.floor or not window.ready:
            return _NO_SCORE
        return window.z(seen, due) if self.seconds.covers(window.span_s) else _NO_SCORE

    def _judge(self, bar: Bar, offset: int, around: Surroundings) -> Finding | None:
        score, index = max((self._score(i), i) for i in range(len(SPANS_S)))
        ms, budget = self.seconds.now_s * 1000, self.budget
        aloud = around.dynamic and self.learned
        fires = budget.judge(score, ms, around.budget("volume_spike"), aloud=aloud) == "fire"
        if not aloud:
            return None
        seen, due = self.seconds.seen_sums[index], self.seconds.due_sums[index]
        severe = score > self.severe and seen >= _SEVERE_TIMES * due
        if not fires and not (severe and ms - self.severe_told_ms >= _SEVERE_GAP_MS):
            return None
        if severe:
            self.severe_told_ms = ms
        held_back = budget.held_back if fires else 0
        found = self._spike(index, score, offset, severe=severe, held_back=held_back)
        return finding_of(found, bar, around.threshold)

    def _spike(
        self, index: int, score: float, offset: int, *, severe: bool, held_back: int
    ) -> Spike:
        seconds, window = self.seconds, self.windows[index]
        span, due = window.span_s, seconds.due_sums[index]
        window.aim(self.budget.limit)
        heard = {name: venue.seen_in(seconds.of(span)) for name, venue in self.venues.items()}
        hour, minute = profile_of(self.venues.values())
        burst, burst_on = seconds.burst_in(span)
        return Spike(
            span_s=span,
            score=score,
            score_limit=self.budget.limit,
            severe=severe,
            held_back=held_back,
            rarity=self.scores.rarity(score),
            seen=seconds.seen_sums[index],
            due=due,
            limit=window.least(due),
            bought=seconds.bought_in(span),
            burst=burst,
            burst_on=burst_on,
            venues={name: cents for name, cents in sorted(heard.items()) if cents},
            hour=hour,
            minute=minute,
            quiet=window.quiet,
            usual=window.usual,
            sigma=window.scale.at(1.0) - window.scale.median,
            since_offset=seconds.since_offset(span, offset),
        )
