"""Open interest of a coin on three venues, and what is told of it."""

import random

from fake_surroundings import FakeSurroundings

from foreshock_schemas.events import OpenInterest
from threshold_service.domain.adaptive.interest import Interest
from threshold_service.domain.surroundings import Move

MINUTE = 60_000
T0 = 1_790_000_040_000 // MINUTE * MINUTE
VENUES = {"binance": 50_000.0, "bybit": 30_000.0, "okx": 20_000.0}
QUIET = 0.0003
DAY = 1_440


class Around(FakeSurroundings):
    """A coin whose price rises; nothing is known of its trades unless told."""

    def __init__(self, tier="mega", traded_usd=None, per_day=2.0, price=0.01, **known):
        super().__init__(
            {"oi_explosion": per_day},
            traded_usd=traded_usd,
            price=Move(change=price, usual=0.001),
            coin="BTC",
            tier=tier,
            **known,
        )


def reading(minute, exchange, coins, usd=None, mark=100.0, since_ms=0):
    at_ms = T0 + round(minute * MINUTE)
    return OpenInterest(
        event_id=f"{exchange}:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 200,
        exchange=exchange,
        symbol="BTCUSDT",
        coin="BTC",
        open_interest_coins=coins,
        open_interest_usd=coins * mark if usd is None else usd,
        mark_price=mark,
        index_price=None,
        funding_rate=None,
        funding_interval_h=None,
        next_funding_ms=None,
        comparable_since_ms=since_ms,
    )


def market(minutes, venues=VENUES, seed=1, every=1, start=0, noise=QUIET):
    """Readings of venues that drift apart, as {minute: {venue: coins}}."""
    rng = random.Random(seed)
    coins, course = dict(venues), {}
    for minute in range(start, start + minutes, every):
        for venue in coins:
            coins[venue] *= 1 + rng.gauss(0, noise)
        course[minute] = dict(coins)
    return course


def readings(course):
    return [
        reading(minute, venue, coins)
        for minute, each in course.items()
        for venue, coins in each.items()
    ]


def run(events, around=None, detector=None):
    detector, around = detector or Interest(), around or Around()
    found = (detector.on_reading(event, offset, around) for offset, event in enumerate(events))
    return [each for each in found if each is not None]


def exploding(course, at, over, share, venues=None):
    """Lets the open interest of venues grow by a share from a minute on, over so many."""
    for minute, each in course.items():
        done = min(max(minute - at, 0), over) / over
        for venue in venues or each:
            each[venue] *= 1 + share * done
    return course
