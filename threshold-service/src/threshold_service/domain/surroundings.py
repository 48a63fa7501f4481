"""What a detector may know from topics other than its own: all of it 30 s old.

A detector is driven by one topic. What other topics said is read as of 30 s before the receipt of
the event in hand, so that a race between topics changes nothing and a replay finds the same.
"""

from typing import Final, Protocol

import msgspec

from foreshock_schemas.events import FeedAt, FeedState, MarketContext, SignalKind, Threshold

SETTLED_MS: Final = 30_000
"""How long after its receipt what another topic says is used."""

FLOOR_SHARE: Final = 0.2
"""Less than this share of the original limits is not worth telling."""

LIQUIDATED_USD: Final = 25_000.0
"""What the adaptive detectors tell of, in one print or in many, is at least this much."""

UNSEEN: Final[frozenset[FeedState]] = frozenset({"MUTE", "DOWN"})
"""States in which a feed shows nothing of what happens."""


class Move(msgspec.Struct, frozen=True, gc=False):
    """A change over some time: a log return, and its usual standard deviation."""

    change: float
    usual: float

    @property
    def sigmas(self) -> float:
        """The change in usual deviations; 0 while those are not known."""
        return self.change / self.usual if self.usual > 0 else 0.0


class Surroundings(Protocol):
    """One coin's surroundings at the time of the event in hand."""

    @property
    def dynamic(self) -> bool:
        """Whether learned limits may speak; where they may not, detectors only learn."""
        ...

    @property
    def threshold(self) -> Threshold:
        """The limits of the original requirements: the floors of what is worth telling."""
        ...

    def budget(self, kind: SignalKind) -> float:
        """Return how many alerts a day this coin may raise of a kind."""
        ...

    def interest_usd(self) -> float | None:
        """Return the open interest of the venues whose liquidations are seen; None: not known."""
        ...

    def interest_move(self, over_s: int) -> Move | None:
        """Return the change of open interest in coins, over venues that are fresh at both ends."""
        ...

    def price_move(self, over_s: int) -> Move | None:
        """Return the change of the price, and what is usual over as long."""
        ...

    def traded_usd(self, exchange: str, over_s: int) -> float | None:
        """Return what was traded on a venue, USD; None where its trades are not seen."""
        ...

    def feeds(self, channel: str) -> tuple[FeedAt, ...]:
        """Return the state of the channel's feed on each venue."""
        ...

    def context(self) -> MarketContext:
        """Return what price, open interest and takers did over the last 15 min."""
        ...
