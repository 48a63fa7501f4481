"""Whether a venue's open interest can be believed, and with which earlier figures it compares."""

from collections.abc import Collection, Iterable

import msgspec
from msgspec.structs import replace

from foreshock_exchanges.rest import OpenContracts
from foreshock_exchanges.truth.definitions import Definition
from foreshock_exchanges.truth.hysteresis import Steady
from foreshock_exchanges.truth.open_interest import OpenInterestPolls
from foreshock_exchanges.truth.verdict import Verdict
from foreshock_schemas.events import FeedState, OpenInterest


class Failure(msgspec.Struct, frozen=True):
    """Why a venue gave no answer; `refused`: it said so itself, and will say so for a while."""

    reason: str
    refused: bool = False


class Belief:
    """Holds each venue's polls against those of the others."""

    def __init__(self, venues: Collection[str], poll_ms: int = 60_000) -> None:
        self._polls = OpenInterestPolls(venues, poll_ms)
        self._definitions = {name: Definition() for name in venues}
        self._steady = {name: Steady() for name in venues}
        self._heard: set[str] = set()

    def comparable_since_ms(self, venue: str, rows: Iterable[OpenContracts], now_ms: int) -> int:
        """Return the time (ms) from which the venue's figures compare with these; 0: always."""
        values = {row.symbol: row.open_interest_coins for row in rows}
        return self._definitions[venue].on_poll(values, now_ms)

    def judge(
        self,
        venue: str,
        asked: Iterable[str],
        readings: Iterable[OpenInterest],
        failure: Failure | None,
        now_ms: int,
    ) -> tuple[FeedState, str]:
        """Return state and reason after a poll: what was asked for, what came, why it failed.

        A venue that was never heard or that refuses is DOWN at once, another after three polls
        that failed; before that its last state stands.
        """
        values: dict[str, float | None] = dict.fromkeys(asked)
        values |= {each.symbol: each.open_interest_coins for each in readings}
        self._polls.on_poll(venue, values, now_ms)
        if any(value is not None for value in values.values()):
            self._heard.add(venue)
        verdict = self._verdict(venue, values, failure, now_ms)
        settled = self._steady[venue].settle(verdict, now_ms)
        return settled.state, settled.reason

    def _verdict(
        self, venue: str, asked: Collection[str], failure: Failure | None, now_ms: int
    ) -> Verdict:
        if failure and (failure.refused or venue not in self._heard):
            return Verdict("DOWN", failure.reason, now_ms)
        if not asked:
            return Verdict("DOWN", failure.reason if failure else "nothing is followed", now_ms)
        verdict = self._polls.judge(now_ms)[venue]
        if failure is None:
            return verdict
        return replace(verdict, reason=f"{verdict.reason}; a poll failed: {failure.reason}")
