"""A venue that refuses our polls is left alone for as long as it says; the others go on."""

import msgspec
import pytest

import oi_poller.service as poller
from foreshock_kit.testing import eventually
from foreshock_schemas.topics import OPEN_INTEREST

pytestmark = pytest.mark.chaos

VENUES = ("binance", "bybit", "okx")
COINS = ("BTC", "ETH")
CHANNEL = "open-interest"
MANY = 1000


class Refusal(msgspec.Struct, frozen=True):
    """`lasts_s`: what the venue tells, or has in its documents."""

    venue: str
    status: int
    lasts_s: float


REFUSALS = (
    Refusal("binance", 418, 120),
    Refusal("okx", 429, 10),
    Refusal("bybit", 403, 600),
    Refusal("binance", 451, 3600),
)


async def test_only_the_venue_that_refuses_is_not_asked_until_the_time_is_over(live):
    async with live(COINS, services=(poller,), poll_s=0.5) as market:
        for venue in VENUES:
            await market.is_told(venue, CHANNEL, "LIVE")
        for refusal in REFUSALS:
            await _is_left_alone(market, refusal)


async def _is_left_alone(market, refusal):
    venue = market.world.venues[refusal.venue]
    others = [name for name in VENUES if name != refusal.venue]
    order = {"kind": "http", "status": refusal.status, "seconds": refusal.lasts_s, "count": MANY}
    await market.order(refusal.venue, **order)
    await market.is_told(refusal.venue, CHANNEL, "DOWN")
    assert f"answered {refusal.status}" in market.health(refusal.venue, CHANNEL)[-1].reason
    (ordered,) = venue.faults.refusals
    await _are_polled(market, others)
    left = ordered.count
    assert MANY > left >= MANY - 8, "no more than were under way"
    if refusal.lasts_s > 60:
        market.clock.advance(refusal.lasts_s / 2)
        await _are_polled(market, others)
    assert ordered.count == left
    await market.order(refusal.venue, kind="lift")
    market.clock.advance(refusal.lasts_s)
    await market.is_told(refusal.venue, CHANNEL, "LIVE")


async def _are_polled(market, venues):
    since_ms = market.clock.now_ms()

    def anew():
        told = {venue: market.events(OPEN_INTEREST, venue)[-1] for venue in venues}
        return all(each.ts_recv_ms > since_ms for each in told.values())

    await eventually(anew)
