"""Bybit refuses a whole request for one topic that it does not know: the others come all the same.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import pytest

from foreshock_kit.testing import eventually
from foreshock_schemas.topics import LIQUIDATIONS

pytestmark = pytest.mark.chaos

GOOD = ("BTC", "ETH", "SOL", "DOGE")


async def _begins(market):
    for topic in ("publicTrade.XRPUSDT", "allLiquidation.XRPUSDT"):
        await market.order("bybit", kind="bad_topic", stream=topic)


async def test_all_other_symbols_come_and_lose_nothing_when_sockets_change(live):
    coins = (*GOOD, "XRP", "NEW")
    async with live(coins, exchanges=("bybit",), begin=_begins, contracts_every_s=1) as market:
        await market.flow(["bybit"], GOOD)
        await market.order("bybit", kind="listing", base="NEW")
        await market.flow(["bybit"], (*GOOD, "NEW"))
        await eventually(lambda: len(market.world.venues["bybit"].listeners) == 2)
        market.force((*GOOD, "XRP"))
        await eventually(lambda: _liquidated(market) >= {*GOOD})
        market.flows = False
        for coin in GOOD:
            sent, withheld = await market.ledger("bybit", coin)
            await eventually(lambda c=coin, s=sent: s <= market.numbers("bybit", c).keys())
            found = market.numbers("bybit", coin)
            assert sorted(found) == list(range(min(found), max(found) + 1)), coin
            assert not withheld
        assert "XRP" not in _liquidated(market)
        assert market.trades("bybit", "XRP") == []
        assert market.gaps("bybit") == []


def _liquidated(market):
    return {each.coin for each in market.events(LIQUIDATIONS, "bybit")}
