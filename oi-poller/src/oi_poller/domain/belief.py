"""Whether a venue's open interest can be believed, and with which earlier figures it compares."""

from collections.abc import Collection, Iterable

from foreshock_exchanges.rest import OpenContracts
from foreshock_exchanges.truth.definitions import Definition
from foreshock_exchanges.truth.hysteresis import Steady
from foreshock_exchanges.truth.open_interest import OpenInterestPolls
from foreshock_exchanges.truth.verdict import Verdict
from foreshock_schemas.events import FeedState, OpenInterest


class Belief:
    """Holds each venue's polls against those of the others."""

    def __init__(self, venues: Collection[str], poll_ms: int = 60_000) -> None:
        self._polls = OpenInterestPolls(venues, poll_ms)
        self._definitions = {name: Definition() for name in venues}
        self._steady = {name: Steady() for name in venues}

    def comparable_since_ms(self, venue: str, rows: Iterable[OpenContracts], now_ms: int) -> int:
        """Return the time (ms) from which the venue's figures compare with these; 0: always."""
        values = {row.symbol: row.open_interest_coins for row in rows}
        return self._definitions[venue].on_poll(values, now_ms)

    def judge(
        self,
        venue: str,
        asked: Iterable[str],
        readings: Iterable[OpenInterest],
        failure: str,
        now_ms: int,
    ) -> tuple[FeedState, str]:
        """Return state and reason after a poll: what was asked for, what came, why it failed."""
        values: dict[str, float | None] = dict.fromkeys(asked)
        values |= {each.symbol: each.open_interest_coins for each in readings}
        self._polls.on_poll(venue, values, now_ms)
        if failure or not values:
            verdict = Verdict("DOWN", failure or "nothing is followed", now_ms)
        else:
            verdict = self._polls.judge(now_ms)[venue]
        settled = self._steady[venue].settle(verdict, now_ms)
        return settled.state, settled.reason
