"""What is said of a feed, and how the socket's word and the market's are joined."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from foreshock_schemas.events import FeedState

Link = Literal["up", "partial", "down"]
"""What the socket layer says: all sockets are open, some are, none is."""

LINKS: Final[Mapping[FeedState, Link]] = {"DOWN": "down", "PARTIAL": "partial"}
"""What a published state says of the sockets; in every other they are open.

DOWN is exact, for it outdoes every other state and is left at once. PARTIAL may be held for 15
minutes after the last socket is back, and may be hidden by a MUTE. Who reads it back as a link
takes it at its word: minutes of a feed that flaps are then neither learned nor counted.
"""

_WORSE_THAN_PARTIAL: Final = ("STALE", "MUTE", "DOWN")


class Verdict(msgspec.Struct, frozen=True):
    """A feed's state, why in plain words, and since when what it says has been so."""

    state: FeedState
    reason: str
    since_ms: int


class Connection(msgspec.Struct, frozen=True):
    """The word of the socket layer, and since when it holds."""

    link: Link
    reason: str
    since_ms: int


def joined(connection: Connection, verdict: Verdict) -> Verdict:
    """Return the state of a feed of which socket and market say these.

    Without a socket it is DOWN, whatever came before; with some of them it is PARTIAL, unless
    what is known is worse.
    """
    if connection.link == "down":
        return Verdict("DOWN", connection.reason, connection.since_ms)
    if connection.link == "partial" and verdict.state not in _WORSE_THAN_PARTIAL:
        return Verdict("PARTIAL", connection.reason, connection.since_ms)
    return verdict
