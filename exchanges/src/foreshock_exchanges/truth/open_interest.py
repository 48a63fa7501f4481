"""Which venues' open interest can be believed, from what their polls answer."""

from collections.abc import Iterable, Mapping
from typing import Final

from foreshock_exchanges.truth.silence import Silence
from foreshock_exchanges.truth.verdict import Verdict
from foreshock_schemas.events import FeedState

POLLS: Final = 3
"""Polls without a change, or without an answer, before anything is said."""

_LONGEST_LEARNED: Final = 10
_DAY_MS: Final = 86_400_000
_NAMED: Final = 5


class OpenInterestPolls:
    """Judges several venues' open interest, polled every `poll_ms`.

    STALE is a venue none of whose figures has changed for 3 polls while another venue's have; one
    that usually publishes less often (up to every 10 polls) has twice its own longest pause. A
    symbol that is missing for 3 polls, or unchanged for twice as long as calm explains once in
    three months, makes it PARTIAL.
    """

    def __init__(self, exchanges: Iterable[str], poll_ms: int = 60_000) -> None:
        self._poll_ms = poll_ms
        self._venues = {name: _Venue() for name in exchanges}

    def on_poll(self, exchange: str, values: Mapping[str, float | None], at_ms: int) -> None:
        """Take what was asked for and answered: None for a symbol without an answer.

        Symbols that are not among them are followed no more.

        Raises:
            KeyError: The exchange is not among those judged.
        """
        self._venues[exchange].on_poll(values, at_ms)

    def judge(self, now_ms: int) -> dict[str, Verdict]:
        """Return the state of every venue; asking changes nothing."""
        oldest_ms = now_ms - POLLS * self._poll_ms
        answering = [each for each in self._venues.values() if each.answered_ms >= oldest_ms]
        return {
            name: venue.verdict([each for each in answering if each is not venue], oldest_ms)
            for name, venue in self._venues.items()
        }


class _Venue:
    def __init__(self) -> None:
        self.answered_ms = 0
        self.moved_ms = 0
        self._symbols: dict[str, _Symbol] = {}
        self._unchanged = 0
        self._unanswered = 0
        self._longest = 0.0

    def on_poll(self, values: Mapping[str, float | None], at_ms: int) -> None:
        self._symbols = {name: self._symbols.get(name) or _Symbol() for name in values}
        answers = [value for value in values.values() if value is not None]
        moved = sum(self._symbols[name].take(value, at_ms) for name, value in values.items())
        if not answers:
            self._unanswered += 1
            return
        self.answered_ms, self._unanswered = at_ms, 0
        if moved:
            if self._unchanged <= _LONGEST_LEARNED:
                self._longest = max(self._longest, self._unchanged)
            self._unchanged, self.moved_ms = 0, at_ms
        else:
            self._unchanged += 1

    def verdict(self, others: list["_Venue"], oldest_ms: int) -> Verdict:
        if not self.answered_ms:
            return Verdict("UNKNOWN", "no answer was seen yet", 0)
        if self.answered_ms < oldest_ms or self._unanswered >= POLLS:
            return Verdict("DOWN", f"no answer for {POLLS} polls", self.answered_ms)
        if self._unchanged >= max(POLLS, 2 * self._longest):
            return self._frozen(others)
        return self._by_symbol()

    def _frozen(self, others: list["_Venue"]) -> Verdict:
        movers = sum(each.moved_ms > self.moved_ms for each in others)
        state: FeedState = "QUIET" if others else "UNKNOWN"
        if movers:
            state = "STALE"
        why = (
            f"no figure changed for {self._unchanged} polls, "
            f"while those of {movers} of {len(others)} other venues did"
        )
        return Verdict(state, why, self.moved_ms)

    def _by_symbol(self) -> Verdict:
        missing = [name for name, symbol in self._symbols.items() if symbol.is_missing]
        frozen = [name for name, symbol in self._symbols.items() if symbol.is_frozen]
        if missing or frozen:
            parts = [_named("no figure for", missing), _named("unchanged:", frozen)]
            since_ms = min(self._symbols[name].moved_ms for name in missing + frozen)
            return Verdict("PARTIAL", "; ".join(filter(None, parts)), since_ms)
        return Verdict("LIVE", f"{len(self._symbols)} figures arrive and change", self.moved_ms)


class _Symbol:
    def __init__(self) -> None:
        self.moved_ms = 0
        self._value: float | None = None
        self._unchanged = 0
        self._unanswered = 0
        self._changes = Silence(_DAY_MS)

    @property
    def is_missing(self) -> bool:
        return self._unanswered >= POLLS

    @property
    def is_frozen(self) -> bool:
        return self._unchanged >= max(POLLS, 2 * self._changes.limit)

    def take(self, value: float | None, at_ms: int) -> bool:
        """Take a figure; return whether it is another than the last."""
        if value is None:
            self._unanswered += 1
            return False
        self._unanswered = 0
        if value == self._value:
            self._unchanged += 1
            return False
        if self._value is not None and not self.is_frozen:
            self._changes.learn(self._unchanged, at_ms - self.moved_ms)
        self._value, self._unchanged, self.moved_ms = value, 0, at_ms
        return True


def _named(what: str, symbols: list[str]) -> str:
    if not symbols:
        return ""
    more = f" and {len(symbols) - _NAMED} more" if len(symbols) > _NAMED else ""
    return f"{what} {', '.join(sorted(symbols)[:_NAMED])}{more}"
