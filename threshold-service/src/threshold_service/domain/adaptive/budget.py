"""A budget of alerts: a limit that learns where it must lie, and a bound that always holds."""

from typing import Final, Literal

import msgspec

Verdict = Literal["below", "same", "fire", "held"]

CAPACITY: Final = 6.0
"""How many alerts may be saved up: in the time that pays for 30 there are then at most 36."""

SILENT_MS: Final = 48 * 3_600_000
"""The longest silence while scores exceed the least limit."""

LONGEST_CLUSTER_MS: Final = 3_600_000
"""An event that lasts longer than this counts as a new one."""

IDLE_MS: Final = 60_000
"""How often time must be passed on to a budget whose scores stay below the limit."""

_DAY_MS: Final = 86_400_000
_EASE_MS: Final = 12 * 3_600_000
"""The last part of `SILENT_MS`, in which the limit falls to the least."""

_UNFOLDING_MS: Final = 300_000
"""The first part of an event, which sets the peak that a later rise is held against."""

_LONGEST_STEP_MS: Final = 6 * 3_600_000
"""The most that a gap in the judging counts for: what was not watched was not silent."""


class Bucket(msgspec.Struct):
    """A token bucket of alerts: filled at the budget's rate, holding at most `CAPACITY`."""

    tokens: float = CAPACITY
    filled_ms: int = 0

    def take(self, ms: int, per_day: float) -> bool:
        """Spend one, if there is one."""
        if ms > self.filled_ms:
            filled = self.tokens + (ms - self.filled_ms) * per_day / _DAY_MS
            self.tokens = min(CAPACITY, filled)
            self.filled_ms = ms
        if self.tokens < 1 or per_day <= 0:
            return False
        self.tokens -= 1
        return True


class Budget(msgspec.Struct, kw_only=True):
    """The limit of a score, such that fresh events exceed it as often as the budget allows.

    The threshold rises a step with each fresh event, and falls by a step in the time that the
    budget allows for one. So the rate of events is the budget's, whatever the scores are like:
    quantile tracking (Angelopoulos, Candes and Tibshirani 2023), on events instead of exceedances.
    Exceedances less than `gap_s` apart are one event, for an hour at most; what goes on for longer
    is told again. After 36 h without an alert the limit eases, down to `least` at 48 h, and the
    next event sets the threshold. What the tracker lets through, the bucket may still hold back.

    `step` is a fifth of the score's standard deviation. A score that exceeds the peak of its
    event's first 5 minutes by `rise` counts as a new event. `limit` is what the last score had to
    exceed. `held_back` counts the events that stayed silent before the last alert; once another
    one is silent, those since that alert. Time brings the threshold to `rest` at the least, down
    to it or back up after a silence has eased the limit: a quiet market need not spend its budget.
    """

    threshold: float = 4.0
    step: float = 0.2
    least: float = 2.0
    rest: float = 0.0
    gap_s: int = 900
    rise: float | None = None
    limit: float = 4.0
    held_back: int = 0
    bucket: Bucket = msgspec.field(default_factory=Bucket)
    judged_ms: int = 0
    silent_ms: int = 0
    exceeded_ms: int = 0
    cluster_ms: int = 0
    peak: float = 0.0
    aloud: bool = True
    told: bool = True

    def warm(self, threshold: float) -> None:
        """Start at a limit that is known from elsewhere."""
        self.threshold = max(threshold, self.least)

    def pass_time(self, ms: int, per_day: float) -> None:
        """Let time pass without an event; `limit` is then what the next score must exceed.

        Time never goes back, and a gap counts for 6 h at most.
        """
        elapsed_ms = ms - self.judged_ms
        if elapsed_ms > 0:
            if self.judged_ms:
                elapsed_ms = min(elapsed_ms, _LONGEST_STEP_MS)
                fallen = self.threshold - self.step * per_day * elapsed_ms / _DAY_MS
                self.threshold = max(fallen, self.least, self.rest)
                self.silent_ms += elapsed_ms
            self.judged_ms = ms
        self.limit = self._eased()

    def judge(self, score: float, ms: int, per_day: float, *, aloud: bool = True) -> Verdict:
        """Let time pass and return what a score means.

        It is "below" the limit, the "same" event as before, or a fresh event: "fire", or "held"
        back for the budget. Where nothing may be said `aloud` the limit learns as ever, but a
        fresh event costs nothing and is "held" without being counted; if it still goes on when
        something may be said, it is fresh once more.
        """
        self.pass_time(ms, per_day)
        ms = self.judged_ms
        if not score > self.limit:
            return "below"
        fresh = self._is_fresh(score, ms) or (aloud and not self.aloud)
        self.exceeded_ms = ms
        if not fresh:
            return "same"
        self.cluster_ms, self.peak, self.aloud = ms, score, aloud
        self.threshold = min(self.threshold, score) + self.step
        if aloud:
            return self._spend(ms, per_day)
        self.silent_ms = 0
        return "held"

    def _is_fresh(self, score: float, ms: int) -> bool:
        since_ms = ms - self.cluster_ms
        if ms - self.exceeded_ms >= self.gap_s * 1000 or since_ms >= LONGEST_CLUSTER_MS:
            return True
        if since_ms < _UNFOLDING_MS:
            self.peak = max(self.peak, score)
        return self.rise is not None and score >= self.peak + self.rise

    def _eased(self) -> float:
        late_ms = self.silent_ms - (SILENT_MS - _EASE_MS)
        if late_ms <= 0:
            return self.threshold
        left = max(0.0, 1 - late_ms / _EASE_MS)
        return self.least + (self.threshold - self.least) * left

    def _spend(self, ms: int, per_day: float) -> Verdict:
        if self.bucket.take(ms, per_day):
            self.silent_ms = 0
            if self.told:
                self.held_back = 0
            self.told = True
            return "fire"
        self.held_back = 1 if self.told else self.held_back + 1
        self.told = False
        return "held"
