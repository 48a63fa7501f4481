"""Served scenarios: venues are throttled and go out when the market says so."""

import itertools

import aiohttp
import pytest

from foreshock_simulator.market.profiles import DEMO
from foreshock_simulator.market.scenarios import SCENARIOS
from foreshock_simulator.world import World

T0 = 1_790_000_000_000
FEW = DEMO[:2]


def watched(scenario, seconds, dt=5):
    """Return the world after each step."""
    world = World(7, T0, scenario, profiles=FEW)
    for _ in range(seconds // dt):
        world.step(world.now_ms + dt * 1000)
        yield world


def down(world):
    return [name for name, venue in world.venues.items() if venue.down]


def throttled(world):
    return {venue.window.throttled_ms for venue in world.venues.values()}


@pytest.mark.parametrize("scenario", [name for name, each in SCENARIOS.items() if each.live])
def test_every_live_scenario_can_be_served(scenario):
    *_, world = watched(scenario, 60)
    assert all(contract.price > 0 for contract in world.market.contracts.values())


def test_a_crash_throttles_all_and_takes_one_venue_out_until_it_is_over():
    told = [(w.market.now_s, down(w), throttled(w)) for w in watched("crash", 1300)]
    assert {tuple(names) for at, names, _ in told if at < 20} == {()}
    during = [(names, ms) for at, names, ms in told if 30 <= at < 1215]
    assert {len(names) for names, _ in during} == {1}
    assert len({names[0] for names, _ in during}) == 1
    assert all(ms == {1000} for _, ms in during)
    assert told[-1][1:] == ([], {0})


def test_a_crash_takes_a_fifth_of_every_price():
    *_, world = watched("crash", 1200)
    for contract in world.market.contracts.values():
        assert contract.price < 0.87 * contract.profile.price


def test_outages_come_one_after_the_other_and_end():
    told = [tuple(down(world)) for world in watched("venue-outage", 3600)]
    spells = [names for n, names in enumerate(told) if not n or told[n - 1] != names]
    assert {len(names) for names in spells} == {0, 1}
    assert len([names for names in spells if names]) >= 3


def test_a_throttled_feed_is_so_always():
    assert all(throttled(world) == {5000} for world in watched("throttled-feed", 60))


async def test_a_throttled_window_shows_one_liquidation(serving):
    async with (
        serving("bybit", scenario="throttled-feed", profiles=FEW) as bybit,
        bybit.socket("/v5/public/linear") as socket,
    ):
        await socket.ask({"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]})
        frames = await socket.heard(60)
    assert len(frames) > 3
    assert all(len(frame["data"]) == 1 for frame in frames)
    assert all(b["ts"] - a["ts"] >= 5000 for a, b in itertools.pairwise(frames))


async def test_a_venue_that_is_down_cuts_and_refuses_until_it_is_back(bybit):
    async with bybit.socket("/v5/public/linear") as socket:
        bybit.venue.go_down()
        assert await socket.ended() == []
    async with bybit.http.get("/v5/market/time") as answer:
        assert answer.status == 503
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await bybit.http.ws_connect("/v5/public/linear")
    bybit.venue.down = False
    async with bybit.http.get("/v5/market/time") as answer:
        assert answer.status != 503
