"""A venue that acknowledges and says nothing more: it is told, for that channel and no other."""

import pytest

from foreshock_kit.testing import eventually
from foreshock_schemas.topics import LIQUIDATIONS, SIGNALS

pytestmark = pytest.mark.chaos

VENUES = ("binance", "bybit", "okx")
COINS = ("BTC", "ETH", "SOL")
MUTED = {("bybit", "liquidations"): "allLiquidation.*", ("okx", "trades"): "trades:*"}


async def test_mute_is_told_with_a_signal_and_live_again_when_it_is_over(live):
    async with live(COINS, quiet=COINS[1:], pace=10) as market:
        market.falling = COINS
        channels = [(venue, each) for venue in VENUES for each in ("trades", "liquidations")]
        for venue, channel in channels:
            await market.is_told(venue, channel, "LIVE")
        for (venue, _), stream in MUTED.items():
            await market.order(venue, kind="mute", stream=stream)
        for venue, channel in MUTED:
            await market.is_told(venue, channel, "MUTE")
            await eventually(lambda v=venue, c=channel: _signals(market, v, c))
        for venue, channel in channels:
            states = [each.state for each in market.health(venue, channel)]
            assert ("MUTE" in states) == ((venue, channel) in MUTED), (venue, channel)
        for venue in ("binance", "okx"):
            seen = len(market.events(LIQUIDATIONS, venue))
            await eventually(lambda v=venue, n=seen: len(market.events(LIQUIDATIONS, v)) > n)
        for venue, _ in MUTED:
            await market.order(venue, kind="lift")
        for venue, channel in MUTED:
            await market.is_told(venue, channel, "LIVE")
            assert len(_signals(market, venue, channel)) == 1


def _signals(market, venue, channel):
    told = f"{venue}, {channel}: MUTE"
    return [
        each
        for each in market.told[SIGNALS.name]
        if each.kind == "feed" and each.exchanges == (venue,) and each.headline.startswith(told)
    ]
