"""Which part of the world is awake: the original four sessions, with daylight saving."""

from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from foreshock_schemas.events import Session

MULTIPLIERS: Final[dict[Session, float]] = {
    "asian": 0.7,
    "european": 0.9,
    "us": 1.0,
    "weekend": 0.5,
}

_SATURDAY: Final = 5
_OPEN: Final[tuple[tuple[Session, ZoneInfo, time, time], ...]] = (
    ("us", ZoneInfo("America/New_York"), time(9, 30), time(16)),
    ("european", ZoneInfo("Europe/London"), time(8), time(16, 30)),
)


def session_at(ms: int) -> Session:
    """Return the session at a time (ms since 1970 UTC).

    Saturday and Sunday in UTC are the weekend. On other days the US come before Europe where both
    are open, and what is left, the gaps between sessions included, counts as Asia.
    """
    utc = datetime.fromtimestamp(ms / 1000, UTC)
    if utc.weekday() >= _SATURDAY:
        return "weekend"
    for session, zone, opens, closes in _OPEN:
        if opens <= utc.astimezone(zone).time() < closes:
            return session
    return "asian"
