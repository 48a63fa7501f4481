"""What is said of the feeds: each minute, and when a venue goes out or comes back."""

from collections.abc import Iterator
from typing import Final

from foreshock_schemas.events import FeedHealth, FeedState
from foreshock_schemas.ids import derived_id
from foreshock_simulator.offline.troubles import Troubles
from foreshock_simulator.offline.venues import Terms

_CHANNELS: Final = ("liquidations", "trades", "open-interest")
_MINUTE_MS: Final = 60_000
_NOTICED_MS: Final = 10_000
_BACK_MS: Final = 2_000
_TOLD_MS: Final = 20


def health(
    venue: Terms, troubles: Troubles, span_ms: tuple[int, int], since_ms: int
) -> Iterator[FeedHealth]:
    """Yield what is told of a venue's feeds in a span; an outage is noticed after 10 s."""
    changes: list[tuple[int, FeedState]] = [(since_ms, "LIVE")]
    for each in troubles.outages:
        if each.venue == venue.name:
            gone_ms, back_ms = troubles.span_ms(each)
            changes += [(gone_ms + _NOTICED_MS, "DOWN"), (back_ms + _BACK_MS, "LIVE")]
    start_ms, end_ms = span_ms
    repeats = range(-(-start_ms // _MINUTE_MS) * _MINUTE_MS, end_ms, _MINUTE_MS)
    fresh = {at_ms for at_ms, _ in changes if start_ms <= at_ms < end_ms}
    for at_ms in sorted(fresh.union(repeats)):
        since, state = [change for change in changes if change[0] <= at_ms][-1]
        yield from (_told(venue.name, channel, state, at_ms, since) for channel in _CHANNELS)


def _told(exchange: str, channel: str, state: FeedState, at_ms: int, since_ms: int) -> FeedHealth:
    return FeedHealth(
        event_id=derived_id("feed", exchange, channel, state, at_ms),
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + _TOLD_MS,
        exchange=exchange,
        channel=channel,
        state=state,
        reason="market data arrive" if state == "LIVE" else "no connection",
        since_ms=since_ms,
    )
