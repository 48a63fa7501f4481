"""The faults that can be ordered by `POST /_sim/fault`. `stream` and `path` take `*`."""

from abc import abstractmethod
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from foreshock_simulator.market.profiles import newcomer
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.faults import Faults, Refusals
from foreshock_simulator.venue.forced import Shown
from foreshock_simulator.venue.listener import Listener

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Base = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{1,20}$")]


class CannotOrder(Exception):
    """The order is well formed, but this venue has not what it concerns."""


class Order(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True
):
    """One order."""

    @abstractmethod
    def carry_out(self, venue: Venue) -> None:
        """Do it, or put it on order.

        Raises:
            CannotOrder: The venue has no such thing.
        """


class Mute(Order, frozen=True, tag="mute"):
    """Acknowledge subscriptions to a stream and send nothing."""

    stream: Name

    def carry_out(self, venue: Venue) -> None:
        """Put it on order until `lift`."""
        venue.faults.muted.append(self.stream)


class Drop(Order, frozen=True, tag="drop"):
    """Lose the next frames of a stream."""

    stream: Name
    count: Count = 1

    def carry_out(self, venue: Venue) -> None:
        """Put it on order."""
        venue.faults.drops.add(self.stream, self.count)


class Duplicate(Order, frozen=True, tag="duplicate"):
    """Send the next frames of a stream twice."""

    stream: Name
    count: Count = 1

    def carry_out(self, venue: Venue) -> None:
        """Put it on order."""
        venue.faults.duplicates.add(self.stream, self.count)


class Reorder(Order, frozen=True, tag="reorder"):
    """Send a frame of a stream after the one that follows it."""

    stream: Name
    count: Count = 1

    def carry_out(self, venue: Venue) -> None:
        """Put it on order."""
        venue.faults.reorders.add(self.stream, self.count)


class History(Order, frozen=True, tag="history"):
    """Send old rows to whoever subscribes next to a stream."""

    stream: Name
    count: Count = 1

    def carry_out(self, venue: Venue) -> None:
        """Put it on order."""
        venue.faults.histories.add(self.stream, self.count)


class BadTopic(Order, frozen=True, tag="bad_topic"):
    """Refuse subscriptions to a stream, as the venue refuses what it does not know."""

    stream: Name

    def carry_out(self, venue: Venue) -> None:
        """Put it on order until `lift`."""
        venue.faults.bad_topics.append(self.stream)


class Skew(Order, frozen=True, tag="skew"):
    """Let the venue's clock be wrong by so much."""

    ms: Annotated[int, msgspec.Meta(ge=-3_600_000, le=3_600_000)]

    def carry_out(self, venue: Venue) -> None:
        """Put its clock wrong from the next step on."""
        venue.faults.skew_ms = self.ms


class Refuse(Order, frozen=True, tag="http"):
    """Refuse the next `count` requests, websockets included, or all for `seconds`."""

    status: Literal[429, 418, 403, 451]
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    path: Name = "*"

    def carry_out(self, venue: Venue) -> None:
        """Put it on order."""
        if not self.count and not self.seconds:
            raise CannotOrder("say how many requests (count) or for how long (seconds)")
        until_ms = venue.now_ms + round(self.seconds * 1000)
        venue.faults.refusals.append(Refusals(self.status, self.path, self.count, until_ms))


class Lift(Order, frozen=True, tag="lift"):
    """Take back all that is on order."""

    def carry_out(self, venue: Venue) -> None:
        """Begin with no faults."""
        venue.faults = Faults()


class HalfOpen(Order, frozen=True, tag="half_open"):
    """Let connections that hear a stream stay open and silent, whatever is said to them."""

    stream: Name = "*"
    count: Count | None = None

    def carry_out(self, venue: Venue) -> None:
        """Do it now, to as many as are asked for."""
        for listener in _hearing(venue, self.stream, self.count):
            listener.hang()


class Disconnect(Order, frozen=True, tag="disconnect"):
    """Cut connections that hear a stream."""

    stream: Name = "*"
    count: Count | None = None

    def carry_out(self, venue: Venue) -> None:
        """Do it now, to as many as are asked for."""
        for listener in _hearing(venue, self.stream, self.count):
            listener.end_in(0.0)


class Shutdown(Order, frozen=True, tag="shutdown"):
    """Say that the server goes down, where the venue does, and close every connection then."""

    def carry_out(self, venue: Venue) -> None:
        """Say it now."""
        for listener in list(venue.listeners):
            if notice := venue.notice(listener):
                listener.say(notice)
            listener.end_in(venue.notice_s)


class Listed(Order, frozen=True, tag="listing"):
    """Let a contract be traded; `base` is as the market has it, 1000SHIB for instance."""

    base: Base

    def carry_out(self, venue: Venue) -> None:
        """List it now."""
        venue.list(venue.market.list(newcomer(self.base)))


class Delisted(Order, frozen=True, tag="delisting"):
    """Let a contract be traded no more; `symbol` is the venue's."""

    symbol: Name

    def carry_out(self, venue: Venue) -> None:
        """Close it now."""
        if self.symbol not in venue.listings:
            raise CannotOrder(f"no contract {self.symbol}")
        venue.listings[self.symbol].status = "closed"


class Sample(Order, frozen=True, tag="sample"):
    """Show all liquidations, or the largest or latest of each contract and window."""

    shown: Shown

    def carry_out(self, venue: Venue) -> None:
        """Do so from now on."""
        venue.window.shown = self.shown


AnyOrder = (
    Mute
    | Drop
    | Duplicate
    | Reorder
    | History
    | BadTopic
    | Skew
    | Refuse
    | Lift
    | HalfOpen
    | Disconnect
    | Shutdown
    | Listed
    | Delisted
    | Sample
)


def _hearing(venue: Venue, stream: str, count: int | None) -> list[Listener]:
    found = [
        listener
        for listener in venue.listeners
        if stream == "*" or any(fnmatchcase(each, stream) for each in listener.streams)
    ]
    return found[:count]
