"""Liquidations of a coin that come in waves, and what is told of them."""

from fake_surroundings import FakeSurroundings

from foreshock_schemas.events import Liquidation
from threshold_service.domain.adaptive.cascades import Cascades

T0 = 1_790_000_000_000
BP = 200_000.0  # of the open interest below
ORDER = ["BUILDING", "CONFIRMED", "FADING", "ENDED"]


class Around(FakeSurroundings):
    """A coin of 2 billion USD of open interest, where nothing else moves unless told."""

    def __init__(self, interest_usd=2e9, per_day=1.0, single_usd=1e6, **known):
        super().__init__(
            {"cascade": per_day},
            interest_usd=interest_usd,
            coin="SOL",
            single_liquidation_usd=single_usd,
            cascade_usd=5 * single_usd,
            tier="large",
            **known,
        )


def liquidation(second, usd, position="long", exchange="bybit", coverage="full", delay_ms=100):
    at_ms = T0 + round(second * 1000)
    return Liquidation(
        event_id=f"{exchange}:{second}:{usd}:{position}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + delay_ms,
        exchange=exchange,
        symbol="SOLUSDT",
        coin="SOL",
        position=position,
        price=150.0,
        size_coins=usd / 150,
        notional_usd=usd,
        coverage=coverage,
    )


def wave(start, orders, usd, every=1.0, **fields):
    return [liquidation(start + n * every, usd, **fields) for n in range(orders)]


def run(events, around=None, cascades=None, after_s=600):
    """Findings of prints, and of a bar each second that is read in time's order with them."""
    cascades, around = cascades or Cascades(), around or Around()
    found, clock = [], T0
    for offset, event in enumerate(events):
        while clock < event.ts_recv_ms:
            clock += 1000
            found.append(cascades.on_time(clock, clock, around))
        found.append(cascades.on_liquidation(event, offset, around))
    for _ in range(after_s):
        clock += 1000
        found.append(cascades.on_time(clock, clock, around))
    return [each for each in found if each is not None]


def states(found):
    return [each.incident_state for each in found]
