"""Open interest: positions opened or closed faster than is usual for the coin at this hour."""

from bisect import bisect_left
from typing import Final

import msgspec
from msgspec.structs import replace

from foreshock_schemas.events import OpenInterest, Tier
from threshold_service.domain.adaptive import interest_finding
from threshold_service.domain.adaptive.budget import Budget
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.horizons import (
    MINUTES,
    Change,
    Part,
    Usual,
    going_on,
    matched,
    weight_of,
)
from threshold_service.domain.adaptive.interest_finding import CRITICAL_TIMES, Limit, Move
from threshold_service.domain.adaptive.news import News
from threshold_service.domain.adaptive.polls import KEPT_MIN, Polls, is_sound, minute_of
from threshold_service.domain.surroundings import Surroundings

FLOORS: Final = dict(zip(MINUTES, (0.003, 0.006, 0.012, 0.025), strict=True))
"""The least change worth telling over each time, as a share; twice as much for small coins.

Tuned on Binance's readings of December 2025 and January 2026, every 5 min: of seven coins, with a
budget of 2 alerts a day, they leave 0.2 (ARB) to 1.9 (SOL) a day.
"""

SMALL_TIMES: Final = 2.0
SMALL: Final[Tier] = "small"

REST: Final = 4.5
"""A quiet market's limit. Below it two of three alerts on Binance's readings told of no event."""

CUSUM_PER_SCORE: Final = 2.0
"""A build-up (CUSUM) of 8 weighs as much as a change of 4 robust standard deviations."""

AGREEING_PART: Final = 0.05
"""A venue agrees with a change if it makes up at least this share of it."""

SINGLE_PART: Final = 0.6
"""A change that no other venue agrees with is told only if one makes up more than this share."""

CHECKED_MIN: Final = 15
"""A change is held against the trades of at least this time: the latest are not known yet."""

TRADED_SLACK: Final = 1.1
TRADED_SLACK_OF_INTEREST: Final = 0.001
"""No more can have been opened or closed than was traded, give or take what is told late."""

WITNESSES: Final = 2
"""So many venues do not err the same way at once: it is trades that were not heard."""

ALONG: Final = 0.5
"""A venue witnesses a change if its own, as a share, is at least this part of it."""

MOVE_MS: Final = 3_600_000
"""How long what is critical is the same move as what was told, unless it gets twice as fast."""

_REACH_MIN: Final = 6
"""How far before a change's beginning the reading may lie that stands for it."""


class Interest(msgspec.Struct):
    """One coin's open interest in coins, minute by minute.

    A minute is judged once every contract that is due has told of it, or with the first reading
    of the next one. `rise` and `fall` have the pace, a share a minute over the shortest time, of
    the move that was told last in either direction.
    """

    polls: dict[str, Polls] = {}
    minute: int = 0
    judged: bool = True
    minutes: list[int] = []
    offsets: list[int] = []
    usual: Usual = msgspec.field(default_factory=Usual)
    budget: Budget = msgspec.field(
        default_factory=lambda: Budget(threshold=REST, limit=REST, rest=REST, least=0.0)
    )
    rise: News = msgspec.field(default_factory=lambda: News(gap_ms=MOVE_MS))
    fall: News = msgspec.field(default_factory=lambda: News(gap_ms=MOVE_MS))

    @property
    def learned(self) -> bool:
        """Whether it is known what is usual, over any of the times."""
        return self.usual.learned

    def on_reading(self, event: OpenInterest, offset: int, around: Surroundings) -> Finding | None:
        """Take a venue's reading; return what is to be told of the minute that it completes."""
        if not is_sound(event):
            return None
        minute, finding = minute_of(event.ts_event_ms), None
        if minute > self.minute:
            if not self.judged:
                finding = self._judge(event, around)
            self._begin(minute, offset)
        self._add(event)
        whole = minute == self.minute and not self.judged and self._is_whole()
        return self._judge(event, around) if whole and finding is None else finding

    def _begin(self, minute: int, offset: int) -> None:
        self.minute, self.judged = minute, False
        self.minutes.append(minute)
        self.offsets.append(offset)
        del self.minutes[:-KEPT_MIN], self.offsets[:-KEPT_MIN]

    def _add(self, event: OpenInterest) -> None:
        contract = f"{event.exchange}:{event.symbol}"
        polls = self.polls.get(contract)
        if polls is None:
            polls = self.polls[contract] = Polls(exchange=event.exchange)
        polls.add(event, self.polls.values())

    def _is_whole(self) -> bool:
        return not any(each.is_due(self.minute) for each in self.polls.values())

    def _judge(self, event: OpenInterest, around: Surroundings) -> Finding | None:
        self.judged = True
        every = (matched(self.polls, self.minute, minutes) for minutes in MINUTES)
        changes = [change for change in every if change is not None]
        if not changes:
            return None
        self.usual.learn(changes, self.minute)
        times = SMALL_TIMES if around.threshold.tier == SMALL else 1.0
        moves = [self._move(each, times * FLOORS[each.minutes]) for each in going_on(changes)]
        beyond = sorted((each for each in moves if each), key=lambda each: -each.score)
        checked = (self._checked(move, around) for move in beyond)
        move = next(filter(None, checked), None)
        pace = abs(changes[0].share) / changes[0].minutes
        return self._tell(move, pace, event, around)

    def _move(self, change: Change, floor: float) -> Move | None:
        if abs(change.share) < floor:
            return None
        z = self.usual.z(change, self.minute)
        built_up = self.usual.cusum(change.share) / CUSUM_PER_SCORE
        score = weight_of(change.minutes) * max(abs(z), built_up)
        return Move(change=change, z=z, score=score, floor=floor)

    def _checked(self, move: Move, around: Surroundings) -> Move | None:
        """Leaves out contracts that cannot have changed so much, and asks which venues agree."""
        change = move.change
        wrong = [each for each in change.parts if not self._plausible(each, change, around)]
        if not wrong or self._is_witnessed(change):
            return self._agreed(move)
        names = [each.contract for each in wrong]
        left = matched(self.polls, self.minute, change.minutes, names)
        again = None if left is None else self._move(left, move.floor)
        return None if again is None else self._agreed(again)

    def _plausible(self, part: Part, change: Change, around: Surroundings) -> bool:
        polls = self.polls[part.contract]
        traded_usd = around.traded_usd(polls.exchange, (max(change.minutes, CHECKED_MIN) + 1) * 60)
        if traded_usd is None or polls.mark <= 0:
            return True
        slack_usd = TRADED_SLACK_OF_INTEREST * part.now * polls.mark
        return abs(part.coins) * polls.mark <= TRADED_SLACK * traded_usd + slack_usd

    def _is_witnessed(self, change: Change) -> bool:
        along = (part for part in change.parts if part.coins / part.then / change.share >= ALONG)
        return len({self.polls[part.contract].exchange for part in along}) >= WITNESSES

    def _agreed(self, move: Move) -> Move | None:
        total = move.change.now - move.change.then
        shares: dict[str, float] = {}
        for part in move.change.parts:
            venue = self.polls[part.contract].exchange
            shares[venue] = shares.get(venue, 0.0) + part.coins / total
        venues = tuple(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
        single = sum(share >= AGREEING_PART for share in shares.values()) < 2
        if single and venues[0][1] <= SINGLE_PART:
            return None
        return replace(move, venues=venues, single_venue=single)

    def _tell(
        self, move: Move | None, pace: float, event: OpenInterest, around: Surroundings
    ) -> Finding | None:
        ms, per_day = self.minute * 60_000, around.budget("oi_explosion")
        self.budget.pass_time(ms, per_day)
        limit = self.budget.limit
        if move is None:
            return None
        aloud = around.dynamic and self.learned
        verdict = self.budget.judge(move.score, ms, per_day, aloud=aloud)
        if not aloud:
            return None
        if verdict != "below":
            self.usual.settle()
        fires = verdict == "fire"
        told = self.rise if move.change.share > 0 else self.fall
        critical = move.times >= CRITICAL_TIMES and told.is_new(pace, ms)
        if not (fires or critical):
            return None
        told.remember(pace, ms)
        minutes = move.change.minutes
        sigma_pct = self.usual.sigma(minutes, self.minute) * 100
        exceeded_pct = limit / weight_of(minutes) * sigma_pct
        reached = Limit(
            score=limit,
            pct=max(move.floor * 100, min(exceeded_pct, abs(move.change.share) * 100)),
            held_back=self.budget.held_back if fires else 0,
        )
        return interest_finding.finding(move, reached, sigma_pct, self._since(move), event, around)

    def _since(self, move: Move) -> int:
        first = self.minute - move.change.minutes - _REACH_MIN
        return self.offsets[bisect_left(self.minutes, first)]
