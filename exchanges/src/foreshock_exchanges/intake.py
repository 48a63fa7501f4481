"""From frames to events that are new, with a count of everything that came in."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, TypeVar

from foreshock_exchanges.base import (
    Adapter,
    Answer,
    Ignored,
    MalformedMessage,
    MarketEvent,
    MarkPrice,
    OtherStream,
    Unsized,
)
from foreshock_schemas.events import Event, Liquidation, OpenInterest, Trade

T = TypeVar("T", bound=Event)

_REMEMBERED: Final = 19_000
"""Ids kept against repeats, twice: over 20 s of the busiest stream recorded.

Repeats come within seconds, from sockets that overlap and trades asked for again. As 64-bit
hashes they cost 2.3 MiB an exchange at most; a set of over 19,660 takes four times the room.
"""

Heard = Literal["market", "refusal", "closing", "other"] | Answer

_KINDS_NAMED: Final = 100
"""Other streams counted by name; beyond that they are counted together."""

_HEARD: Final[dict[object, Heard]] = {
    Ignored.ALIVE: "market",
    Ignored.SUBSCRIBE_ERROR: "refusal",
    Ignored.SHUTDOWN: "closing",
}

_LATELY_MS: Final = 60_000

DUPLICATE: Final = "duplicate"
HISTORY: Final = "history"
UNKNOWN_INSTRUMENT: Final = "unknown_instrument"
"""Why a frame gave no event although the adapter read some in it."""


class Intake:
    """One exchange's frames, each taken once.

    A frame gave events, was ignored (for a reason) or was malformed; these three add up to
    `frames`. Beside that, `duplicates`, `history` and `unknown_instruments` count the events that
    came before, those that happened before the connection, and those of contracts whose size
    nobody knows. Marks and open interest have no number: they are always new, and not counted.
    `heard`, to be read before another frame is taken, is what the last one was: the market's, new
    or not; the refusal of a subscription; word that the venue will close the connection; a
    question, with its answer; or anything else. `on_refused` is told the reason
    and the frame of every one that could not be taken, and of such a refusal.
    """

    def __init__(self, adapter: Adapter, on_refused: Callable[[str, bytes], None]) -> None:
        self.frames = 0
        self.events = 0
        self.malformed = 0
        self.unknown_instruments = 0
        self.duplicates = 0
        self.history = 0
        self.ignored: Counter[str] = Counter()
        self.heard: Heard = "other"
        self._ahead_ms = self._ahead_at_ms = 0
        self._parse = adapter.parse
        self._on_refused = on_refused
        self._recent: set[int] = set()
        self._older: set[int] = set()

    def take(self, frame: bytes, recv_ms: int, since_ms: int = 0) -> list[MarketEvent]:
        """Return a frame's new events; none if it is ignored or refused, or all of it is old.

        Old is what came before, and what happened before `since_ms` by the exchange's clock.
        """
        self.frames += 1
        self.heard = "market"
        try:
            parsed = self._parse(frame, recv_ms)
        except MalformedMessage as e:
            self.heard = "other"
            self.malformed += 1
            if e.ahead_ms is not None:
                self._ahead_ms, self._ahead_at_ms = e.ahead_ms, recv_ms
            self._on_refused(str(e), frame)
            return []
        if not isinstance(parsed, list):
            self._ignore(parsed, frame)
            return []
        events: list[MarketEvent] = []
        for event in parsed:
            if type(event) is Unsized:
                continue
            if (
                type(event) is MarkPrice
                or type(event) is OpenInterest
                or (event.ts_event_ms >= since_ms and self._is_new(event.event_id))
            ):
                events.append(event)
        if len(events) < len(parsed):
            self._pass_over(parsed, frame, since_ms, gave_events=bool(events))
        return events

    def only_new(self, events: Iterable[T]) -> list[T]:
        """Return those of some events, come by another way than frames, that are new."""
        return [event for event in events if self._is_new(event.event_id)]

    def why_down(self, said: str, now_ms: int) -> str:
        """Return why nothing comes: as was said, unless frames were refused in the last minute."""
        if now_ms - self._ahead_at_ms > _LATELY_MS:
            return said
        return f"frames refused: their clock is {self._ahead_ms / 1000:.0f} s ahead of ours"

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Yield what is counted: a name, the reason where there is one, and how many."""
        yield "frames", "", self.frames
        yield "events", "", self.events
        yield "malformed", "", self.malformed
        yield "unknown_instruments", "", self.unknown_instruments
        yield "duplicates", "", self.duplicates
        yield "history", "", self.history
        for reason, count in self.ignored.items():
            yield "ignored", reason, count

    def _ignore(self, why: Ignored | OtherStream | Answer, frame: bytes) -> None:
        if isinstance(why, Answer):
            self.heard = why
            self.ignored[Ignored.PING] += 1
            return
        self.heard = _HEARD.get(why, "other")
        if why is Ignored.SUBSCRIBE_ERROR:
            self._on_refused(why, frame)
        if isinstance(why, Ignored):
            self.ignored[why] += 1
            return
        reason = f"other_stream:{why.kind}"
        if reason not in self.ignored and len(self.ignored) >= _KINDS_NAMED:
            reason = "other_stream"
        self.ignored[reason] += 1

    def _pass_over(
        self,
        parsed: list[MarketEvent | Unsized],
        frame: bytes,
        since_ms: int,
        *,
        gave_events: bool,
    ) -> None:
        reason = DUPLICATE
        for event in parsed:
            if isinstance(event, Unsized):
                reason = UNKNOWN_INSTRUMENT
                self.unknown_instruments += 1
                self._on_refused(f"the size of {event.symbol} is not known", frame)
            elif isinstance(event, Trade | Liquidation) and event.ts_event_ms < since_ms:
                reason = HISTORY
                self.history += 1
        if not gave_events:
            self.ignored[reason] += 1

    def _is_new(self, event_id: str) -> bool:
        recent = self._recent
        known = len(recent)
        number = hash(event_id)
        recent.add(number)
        repeated = len(recent) == known or number in self._older
        if len(recent) == _REMEMBERED:
            self._older, self._recent = recent, set()
        if repeated:
            self.duplicates += 1
            return False
        self.events += 1
        return True
