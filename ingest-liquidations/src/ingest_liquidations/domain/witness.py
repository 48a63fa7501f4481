"""The witness of a venue's silence: everybody's liquidations, and what was known of feeds."""

from collections.abc import Iterable
from sys import intern

from foreshock_exchanges.base import Channel
from foreshock_exchanges.truth.clusters import Clusters
from foreshock_exchanges.truth.hysteresis import Steady
from foreshock_exchanges.truth.liquidations import LiquidationJudge
from foreshock_exchanges.truth.verdict import LINKS, Link
from foreshock_schemas.events import FeedHealth, FeedState, Liquidation

_News = tuple[int, str, Link | None]
"""When something was received, of which exchange, and its new link; None for a cluster's begin."""


class Witness:
    """Judges the venues' liquidation feeds by what is on the topics, past and present.

    What was there at the start comes partition by partition: it is put in order of its receipt
    once it is all read, and until then the sockets' word stands. Prints of one coin come in their
    order, and so do the states of a feed: of the past only begins of clusters and changes of link
    are kept.
    """

    def __init__(self, exchanges: Iterable[str]) -> None:
        self._links: dict[str, Link] = dict.fromkeys(exchanges, "up")
        self._truth = LiquidationJudge(self._links)
        self._clusters = Clusters()
        self._steady = {name: Steady() for name in self._links}
        self._ours: set[str] = set()
        self._past: list[_News] | None = []

    def on_event(self, event: Liquidation | FeedHealth) -> None:
        """Take what the topics carry, in any order of partitions until the past is complete."""
        link = None if isinstance(event, Liquidation) else LINKS.get(event.state, "up")
        if not self._is_news(event, link):
            return
        news = (event.ts_recv_ms, intern(event.exchange), link)
        if self._past is not None:
            self._past.append(news)
        else:
            self._take(news)

    def past_is_complete(self) -> None:
        """Learn from all that was there before."""
        past, self._past = self._past or [], None
        for news in sorted(past, key=lambda each: each[0]):
            self._take(news)

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

    def _take(self, news: _News) -> None:
        recv_ms, exchange, link = news
        if link is None:
            self._truth.on_cluster(exchange, recv_ms)
        else:
            self._truth.connected(exchange, link, recv_ms)

    def _is_news(self, event: Liquidation | FeedHealth, link: Link | None) -> bool:
        if event.exchange not in self._links:
            return False
        if isinstance(event, Liquidation):
            return self._clusters.opens(event)
        if event.channel != Channel.LIQUIDATIONS or event.gap_start_ms is not None:
            return False
        if link is None or event.exchange in self._ours or link == self._links[event.exchange]:
            return False
        self._links[event.exchange] = link
        return True
