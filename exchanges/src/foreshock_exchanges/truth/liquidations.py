"""Which venues' liquidations can be believed, each held against all the others'."""

from collections.abc import Iterable
from typing import Final

from foreshock_exchanges.truth.silence import FEWEST_OWN, Silence
from foreshock_exchanges.truth.verdict import Connection, Link, Verdict, joined

HALF_LIFE_MS: Final = 3 * 86_400_000
"""In such a time of learning, what was known counts half; who is away for as long is gone."""

SOONEST_MS: Final = 60_000
"""No silence is judged before: in a cascade a minute's clusters come within a second."""

SMALLEST_SHARE: Final = 0.1
"""A feed with less is not judged, and is no witness that has to be there."""

REGAINED_SHARE: Final = 0.11
"""One that had less is judged again from here on."""

NEWCOMER_CLUSTERS: Final = 10
NEWCOMER_SHARE: Final = SMALLEST_SHARE / 2
"""What a venue has to have of the clusters since its first, after ten, to change others' shares."""

QUIET_GAPS: Final = 5.0
"""A market is quiet after so many usual gaps in which it had half its usual clusters or fewer."""


class LiquidationJudge:
    """Judges the liquidation feeds of several venues from their clusters of prints.

    A venue's share is its clusters over those of all venues, its own among them: with a share of
    0.25 it has one cluster for three of the others'. It is MUTE when so many of the others' have
    come since its last that calm would do the same once in three months. What is learned is
    learned from times in which all venues that matter (a share of 0.1 or more) were connected and
    not MUTE. Others' clusters of times when its own sockets were not all open do not count against
    a venue, but neither does opening them anew excuse it.

    A venue from which nothing came in three days through sockets all open matters no longer to
    what is learned of the others; its own state stays. If it comes back it is a newcomer: one with
    a share of 0.05 or more makes all shares start anew. Clusters of venues not named are left out.

    All that it says follows from what it is told, which is to be told in the order of receive
    times.
    """

    def __init__(self, exchanges: Iterable[str]) -> None:
        self._feeds = {name: _Feed() for name in exchanges}
        self._total = 0

    def on_cluster(self, exchange: str, at_ms: int) -> None:
        """Take the begin of a cluster, received at `at_ms`."""
        feed = self._feeds.get(exchange)
        if feed is None:
            return
        if feed.is_up and feed.is_gone(at_ms):
            feed.start_anew(self._total, at_ms)
            feed.is_newcomer = True
        self._learn(feed, at_ms)
        self._total += 1
        feed.heard(self._total, at_ms)
        if feed.is_newcomer and feed.silence.own >= NEWCOMER_CLUSTERS:
            feed.is_newcomer = False
            if feed.silence.share >= NEWCOMER_SHARE:
                self._start_anew(at_ms)

    def connected(self, exchange: str, link: Link, at_ms: int, reason: str = "") -> None:
        """Take the word of the socket layer; every feed counts as up until told otherwise.

        Raises:
            KeyError: The exchange is not among those judged.
        """
        all_up = self._all_up(at_ms)
        for feed in self._feeds.values():
            feed.advance(self._total, at_ms, learn=all_up)
        feed = self._feeds[exchange]
        since_ms = feed.connection.since_ms if link == feed.connection.link else at_ms
        feed.connection = Connection(link, reason or f"the connection is {link}", since_ms)

    def judge(self, now_ms: int) -> dict[str, Verdict]:
        """Return the state of every feed; asking changes nothing."""
        return {
            name: joined(feed.connection, feed.verdict(self._total, now_ms))
            for name, feed in self._feeds.items()
        }

    def share(self, exchange: str) -> float:
        """Return a venue's usual share of all clusters."""
        return self._feeds[exchange].silence.share

    def _learn(self, feed: "_Feed", at_ms: int) -> None:
        all_up = self._all_up(at_ms) and feed.last_ms is not None
        feed.advance(self._total, at_ms, learn=all_up)
        if all_up and feed.is_up:
            feed.learn(
                all(
                    each.is_believed(self._total, at_ms) or each.is_gone(at_ms)
                    for each in self._feeds.values()
                )
            )

    def _start_anew(self, at_ms: int) -> None:
        for feed in self._feeds.values():
            if feed.is_believed(self._total, at_ms):
                feed.start_anew(self._total, at_ms)

    def _all_up(self, at_ms: int) -> bool:
        return all(each.is_up or not each.matters(at_ms) for each in self._feeds.values())


class _Feed:
    """One venue: what is known of it, and its silence up to the last change of a connection."""

    def __init__(self) -> None:
        self.silence = Silence(HALF_LIFE_MS)
        self.connection = Connection("up", "", 0)
        self.last_ms: int | None = None
        self._whole_ms: int | None = None
        self.is_newcomer = True
        self._missed = 0
        self._silent_ms = 0
        self._to_learn = 0
        self._to_learn_ms = 0
        self._mark = 0
        self._mark_ms: int | None = None
        self._share_tells = False

    @property
    def is_up(self) -> bool:
        return self.connection.link == "up"

    def matters(self, at_ms: int) -> bool:
        return self.silence.share >= SMALLEST_SHARE and not self.is_gone(at_ms)

    def is_gone(self, at_ms: int) -> bool:
        """Whether nothing has come for a half-life while all its sockets were open."""
        return self._whole_ms is not None and at_ms - self._whole_ms >= HALF_LIFE_MS

    def advance(self, total: int, at_ms: int, *, learn: bool) -> None:
        """Count the others' clusters, and the time, since the last mark."""
        since_ms = at_ms if self._mark_ms is None else self._mark_ms
        clusters, ms = total - self._mark, max(0, at_ms - since_ms)
        if self.is_up:
            self._missed += clusters
            self._silent_ms += ms
            if learn:
                self._to_learn += clusters
                self._to_learn_ms += ms
        self._mark, self._mark_ms = total, max(since_ms, at_ms)

    def learn(self, believed: bool) -> None:
        if believed:
            self.silence.learn(self._to_learn, self._to_learn_ms)
            least = SMALLEST_SHARE if self._share_tells else REGAINED_SHARE
            self._share_tells = self.silence.share >= least
        self._to_learn = self._to_learn_ms = 0

    def heard(self, total: int, at_ms: int) -> None:
        self._missed = self._silent_ms = 0
        self._mark = total
        self.last_ms = at_ms
        if self.is_up:
            self._whole_ms = at_ms

    def start_anew(self, total: int, at_ms: int) -> None:
        self.advance(total, at_ms, learn=False)
        self.silence = Silence(HALF_LIFE_MS)
        self._to_learn = self._to_learn_ms = 0

    def is_believed(self, total: int, now_ms: int) -> bool:
        missed, silent_ms = self._since_last(total, now_ms)
        return missed < self.silence.limit or silent_ms < SOONEST_MS or not self._share_tells

    def verdict(self, total: int, now_ms: int) -> Verdict:
        if self.last_ms is None:
            return Verdict("UNKNOWN", "no liquidation was seen yet", self.connection.since_ms)
        silence = self.silence
        if not silence.is_known:
            why = f"fewer than {FEWEST_OWN} clusters were seen; its share is not known yet"
            return Verdict("UNKNOWN", why, self.last_ms)
        if not self._share_tells:
            why = f"its share of {silence.share:.2f} is too small to tell a fault from calm"
            return Verdict("UNKNOWN", why, self.last_ms)
        missed, silent_ms = self._since_last(total, now_ms)
        expected = silence.expected(missed)
        why = (
            f"silent for {_span(silent_ms)} while the others had {missed} clusters; "
            f"{expected:.1f} were expected"
        )
        if not self.is_believed(total, now_ms):
            return Verdict("MUTE", why, self.last_ms)
        usual = silence.pace * silent_ms / 60_000
        if usual >= QUIET_GAPS * silence.dispersion and expected <= usual / 2:
            return Verdict("QUIET", f"{why}, and {usual:.1f} in usual times", self.last_ms)
        return Verdict("LIVE", why, self.last_ms)

    def _since_last(self, total: int, now_ms: int) -> tuple[int, int]:
        """Return the others' clusters and the time since its last, while its sockets were open."""
        if not self.is_up or self._mark_ms is None:
            return self._missed, self._silent_ms
        ms = max(0, now_ms - self._mark_ms)
        return self._missed + total - self._mark, self._silent_ms + ms


def _span(ms: int) -> str:
    return f"{ms // 60_000} min" if ms >= 120_000 else f"{ms // 1000} s"
