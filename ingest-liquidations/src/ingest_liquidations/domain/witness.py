"""The witness of a venue's silence: everybody's liquidations, and what was known of feeds."""

from collections.abc import Iterable

from foreshock_exchanges.base import Channel
from foreshock_exchanges.truth.hysteresis import Steady
from foreshock_exchanges.truth.liquidations import Liquidations
from foreshock_exchanges.truth.verdict import LINKS
from foreshock_schemas.events import FeedHealth, FeedState, Liquidation


class Witness:
    """Judges the venues' liquidation feeds by what is on the topics, past and present.

    What was there at the start comes partition by partition: it is put in order of its receipt
    once it is all read, and until then the sockets' word stands.
    """

    def __init__(self, exchanges: Iterable[str]) -> None:
        self._truth = Liquidations(exchanges)
        self._exchanges = frozenset(exchanges)
        self._steady = {name: Steady() for name in self._exchanges}
        self._ours: set[str] = set()
        self._past: list[Liquidation | FeedHealth] | None = []

    def on_event(self, event: Liquidation | FeedHealth) -> None:
        """Take what the topics carry, in any order until the past is complete."""
        if self._past is not None:
            self._past.append(event)
        else:
            self._take(event)

    def past_is_complete(self) -> None:
        """Learn from all that was there before."""
        past, self._past = self._past or [], None
        for event in sorted(past, key=lambda each: each.ts_recv_ms):
            self._take(event)

    def judge(
        self, exchange: str, state: FeedState, reason: str, now_ms: int
    ) -> tuple[FeedState, str]:
        """Return a venue's state and why, given what our sockets say of it."""
        if self._past is not None:
            return state, reason
        self._ours.add(exchange)
        self._truth.connected(exchange, LINKS.get(state, "up"), now_ms, reason)
        verdict = self._truth.judge(now_ms)[exchange]
        settled = self._steady[exchange].settle(verdict, now_ms)
        return settled.state, settled.reason

    def _take(self, event: Liquidation | FeedHealth) -> None:
        if isinstance(event, Liquidation):
            self._truth.on_print(event)
        elif self._is_news(event):
            link = LINKS.get(event.state, "up")
            self._truth.connected(event.exchange, link, event.ts_recv_ms, event.reason)

    def _is_news(self, event: FeedHealth) -> bool:
        return (
            event.channel == Channel.LIQUIDATIONS
            and event.gap_start_ms is None
            and event.exchange in self._exchanges - self._ours
        )
