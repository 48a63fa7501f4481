"""What every event carries."""

from typing import Final, Literal

import msgspec

Position = Literal["long", "short"]
"""The position that was (or would be) liquidated; never an order's side."""

Aggressor = Literal["buy", "sell"]
"""The taker's side of a trade."""

Coverage = Literal["full", "sampled", "unknown"]
"""Whether a feed shows everything; sums over a sampled or unknown one are a floor."""

Severity = Literal["info", "warning", "critical"]

AHEAD_MS: Final = 5_000
"""An event's time may be so much ahead of its receipt; what lies further ahead is refused."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """A fact.

    Those that come by the thousand may be made without the names of their fields, which takes a
    fourth of the time; code that is not made from a schema should name them.

    Attributes:
        event_id: Deterministic, so that a repeat is recognisable (see `ids`).
        ts_event_ms: When it happened by its source's clock, ms since 1970 UTC.
        ts_recv_ms: When we received the data that it rests on, ms since 1970 UTC.
    """

    event_id: str
    ts_event_ms: int
    ts_recv_ms: int
