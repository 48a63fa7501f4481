"""One venue's trades of a coin: which seconds were heard, and what was due in them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from foreshock_schemas.events import Bar
from threshold_service.domain.adaptive.baseline import Baseline, Expected
from threshold_service.domain.adaptive.seconds import PAST_S

_LIVES_S: Final = 30
"""A venue that lives is heard of at least every 10 s: more than 30 s of silence are no calm."""

_PAUSES: Final = 3
"""Where venues tell of trades only, so many times the usual silence still is calm."""

_PAUSE_MEMORY_S: Final = 6 * 3_600
"""Seconds after which what was usual before weighs a third."""

_FULL_MIN_S: Final = 55
"""Seconds that must have been heard for a minute to teach anything."""

_UNHEARD: Final = -1


class Venue(msgspec.Struct, kw_only=True):
    """What a venue has traded so far, in whole cents, and what is `due` from it each second.

    It was heard up to `end_s`, exclusive. `seen` are its last 300 s, -1 where nothing was heard.
    `minute` is the current one, with what was traded and how many seconds were heard in it.
    `pause_s` is how long a silence usually lasts, weighted by its length; bars without one between
    them let it fall.
    """

    baseline: Baseline = msgspec.field(default_factory=Baseline)
    expected: Expected = msgspec.field(default_factory=Expected)
    known: bool = False
    due: int = 0
    end_s: int = 0
    minute: int = 0
    minute_cents: int = 0
    heard_s: int = 0
    pause_s: float = 0.0
    seen: list[int] = msgspec.field(default_factory=lambda: [_UNHEARD] * PAST_S)

    def heard_from(self, first: int) -> int:
        """Return the second from which on a bar that begins at `first` tells of the venue.

        A gap before it that is no longer than `patience_s` was calm: nothing was traded then.
        """
        end_s = self.end_s
        if first == end_s:
            if self.pause_s:
                self.pause_s -= self.pause_s / _PAUSE_MEMORY_S
            return first
        if 0 < end_s < first:
            calm = first - end_s <= self.patience_s
            self._learn_pause(first - end_s)
            if calm:
                return end_s
        for second in range(max(end_s, first - PAST_S), first):
            self.seen[second % PAST_S] = _UNHEARD
        return max(end_s, first)

    @property
    def patience_s(self) -> int:
        """How long a silence may be to be calm: 30 s, up to 300 s where silence is usual."""
        return min(PAST_S, max(_LIVES_S, int(self.pause_s * _PAUSES)))

    def _learn_pause(self, silent_s: int) -> None:
        silent_s = min(silent_s, PAST_S)
        self.pause_s += silent_s / _PAUSE_MEMORY_S * (silent_s - self.pause_s)

    def hear(self, second: int, cents: int) -> None:
        """Count the second that follows what was heard."""
        self.end_s = second + 1
        self.heard_s += 1
        self.minute_cents += cents
        self.seen[second % PAST_S] = cents

    def miss(self, second: int) -> None:
        """Take note that nothing is known up to and including a second."""
        for missed in range(max(self.end_s, second - PAST_S), second + 1):
            self.seen[missed % PAST_S] = _UNHEARD
        self.end_s = second + 1

    def turn(self, minute: int, session: float) -> None:
        """Learn from the minute that is over, if it was heard, and begin another one."""
        if self.heard_s >= _FULL_MIN_S:
            self.baseline.on_minute(self.minute, self.minute_cents / 100, session)
        self.minute, self.minute_cents, self.heard_s = minute, 0, 0
        self.known = self.baseline.known
        self.expected = self.baseline.expected(minute, session)
        self.due = round(self.expected.usd / 60 * 100) if self.known else 0

    def hear_late(self, second: int, cents: int) -> int | None:
        """Count a bar that comes after later ones; return what it adds to the sum of what was due.

        None if it is too old to matter, or a repeat.
        """
        slot = second % PAST_S
        before = self.seen[slot]
        if not self.known or second < self.end_s - PAST_S or before > 0 or not cents:
            return None
        self.seen[slot] = cents
        return self.due if before == _UNHEARD else 0

    def seen_in(self, seconds: range) -> int:
        """Return what was traded in some of the last 300 s."""
        oldest = self.end_s - PAST_S
        return sum(
            max(0, self.seen[second % PAST_S])
            for second in seconds
            if oldest <= second < self.end_s
        )


def is_calm(silent_s: int, venues: Iterable[Venue]) -> bool:
    """Return whether a silence of all venues is what is usual of one of them."""
    return silent_s <= _LIVES_S or any(silent_s <= venue.patience_s for venue in venues)


def profile_of(venues: Iterable[Venue]) -> tuple[float, float]:
    """Return what hour and minute are expected to add over venues, each by what is due of it.

    Logarithms, as in `Expected`; 0 where nothing is due.
    """
    known = [venue for venue in venues if venue.known]
    total = sum(venue.due for venue in known)
    if not total:
        return 0.0, 0.0
    hour = sum(venue.expected.hour * venue.due for venue in known) / total
    minute = sum(venue.expected.minute * venue.due for venue in known) / total
    return hour, minute


def bought_of(bar: Bar, cents: int) -> int:
    """Return how many of some cents of a bar takers bought, by the bar's own share."""
    share = bar.taker_buy_usd / bar.notional_usd if cents else 0.0
    return round(cents * share) if 0 < share <= 1 else 0
