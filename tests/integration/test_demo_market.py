"""The demo's market sets off the original formulas in every session of the day."""

import itertools
from datetime import UTC, datetime

import pytest

from foreshock_exchanges import load
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Evidence, Liquidation, MarketStats, Signal
from foreshock_schemas.names import coin_of
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import LIQUIDATIONS
from foreshock_simulator.binance.streams import BinanceListener
from foreshock_simulator.world import World
from threshold_service.domain.detection import Partitions
from threshold_service.domain.world import World as DetectorsWorld
from threshold_service.service import told_by
from threshold_service.settings import Settings

STEP_MS = 100
SESSIONS = {
    "asian": datetime(2026, 6, 17, 2, 0, tzinfo=UTC),
    "european": datetime(2026, 6, 17, 9, 0, tzinfo=UTC),
    "us": datetime(2026, 6, 17, 15, 0, tzinfo=UTC),
    "weekend": datetime(2026, 6, 20, 15, 0, tzinfo=UTC),
}


def stats(listing, at_ms: int) -> MarketStats:
    profile = listing.contract.profile
    coin, _ = coin_of(profile.base)
    return sample(
        MarketStats,
        event_id=f"stats:{coin}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms,
        coin=coin,
        price=profile.price,
        market_cap_usd=profile.supply * profile.price,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=listing.daily_usd,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=profile.volatility,
        volatility_ms=at_ms,
    )


def detectors_world() -> DetectorsWorld:
    return DetectorsWorld(told_by(Settings(), 0))


def refused(reason: str, frame: bytes) -> None:
    raise AssertionError(f"{reason}: {frame[:200]!r}")


def signals(begin: datetime, seed: int, seconds: int) -> list[Signal]:
    """Run the market for some seconds from `begin` on; return what the detectors say."""
    now_ms = begin_ms = int(begin.timestamp() * 1000)
    world = World(seed, now_ms)
    venue = world.venues["binance"]
    listener = BinanceListener(venue, "market", combined=False)
    listener.subscribe(["!forceOrder@arr"])
    venue.listeners.add(listener)
    intake, detectors = Intake(load("binance"), refused), Partitions(detectors_world())
    place = Evidence(topic=LIQUIDATIONS.name, partition=0, offset=0, event_id="")
    for listing in venue.trading:
        detectors.on_event(stats(listing, begin_ms - 60_000), place)
    found = []
    while now_ms < begin_ms + seconds * 1000:
        now_ms += STEP_MS
        world.step(now_ms)
        while not listener.frames.empty():
            for event in intake.take(listener.frames.get_nowait(), now_ms):
                if isinstance(event, Liquidation):
                    found += detectors.on_event(event, place)
    return [output for output in found if isinstance(output, Signal)]


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("seed", [7, 8])
def test_a_cascade_is_told_within_the_first_minute_of_every_session(session, seed):
    found = signals(SESSIONS[session], seed, 60)
    cascades = [signal for signal in found if signal.kind == "cascade"]
    assert cascades, [signal.headline for signal in found]
    assert "CONFIRMED" in {signal.incident_state for signal in cascades}
    assert {"BTC", "ETH"} & {signal.coin for signal in found}


def test_alerts_go_on_over_ten_minutes():
    begin = SESSIONS["us"]
    found = signals(begin, 7, 600)
    times = sorted({signal.ts_event_ms for signal in found if signal.kind == "cascade"})
    minutes = {(at - int(begin.timestamp() * 1000)) // 60_000 for at in times}
    assert len(minutes) >= 3
    assert max(b - a for a, b in itertools.pairwise(times)) <= 300_000
