"""Venues list, delist, cut, drop, repeat and mix up: nobody else loses a trade."""

from itertools import pairwise

import pytest

from foreshock_kit.testing import eventually
from foreshock_schemas.topics import INSTRUMENTS, LIQUIDATIONS

pytestmark = pytest.mark.chaos

VENUES = ("binance", "bybit", "okx")
GAPLESS = ("binance", "okx")
STAYING = ("BTC", "ETH", "SOL", "XRP")
HISTORY = {
    "binance": "!forceOrder@arr",
    "bybit": "allLiquidation.BTCUSDT",
    "okx": "liquidation-orders:SWAP",
}
OLD = {"name": "foreshock_ingest_liquidations_ignored_total", "reason": "history"}
BY_A_GAP_MS = 20_000


async def test_in_all_kinds_of_trouble_at_once_no_other_symbol_loses_a_trade(live):
    async with live((*STAYING, "DOGE", "NEW"), contracts_every_s=1) as market:
        begun_ms = market.clock.now_ms()
        await market.flow(VENUES, (*STAYING, "DOGE"))
        for coin, kind, count in (
            ("BTC", "reorder", 2),
            ("ETH", "duplicate", 3),
            ("SOL", "drop", 3),
        ):
            await market.trouble(coin, kind, count)
        await _comes_and_goes(market)
        await _old_liquidations_come_with_a_cut(market)
        await _goes_down(market)
        market.flows = False
        for venue in GAPLESS:
            for coin in (*STAYING, "NEW"):
                await _all_are_there_once(market, venue, coin)
        for coin in (*STAYING, "NEW"):
            await _what_is_not_there_is_told(market, "bybit", coin)
        for venue in VENUES:
            for each in market.events(LIQUIDATIONS, venue):
                assert each.ts_event_ms >= begun_ms - 5_000


async def _comes_and_goes(market):
    """A contract is listed and another delisted: both are told, and the new one is followed."""
    gone = {venue: market.listing(venue, "DOGE").symbol for venue in VENUES}
    for venue in VENUES:
        await market.order(venue, kind="listing", base="NEW")
        await market.order(venue, kind="delisting", symbol=gone[venue])
    await market.flow(VENUES, (*STAYING, "NEW"))
    for venue in VENUES:
        told = {each.symbol: each.status for each in market.events(INSTRUMENTS, venue)}
        assert told[market.listing(venue, "NEW").symbol] == "trading"
        assert told[gone[venue]] in {"closing", "closed"}

    def let_go():
        streams = {
            stream
            for venue in VENUES
            for listener in market.world.venues[venue].listeners
            for stream in listener.streams
        }
        return not any("doge" in stream.lower() for stream in streams)

    await eventually(let_go)


async def _old_liquidations_come_with_a_cut(market):
    before = {venue: market.counted(**OLD, exchange=venue) for venue in VENUES}
    for venue in VENUES:
        await market.order(venue, kind="history", stream=HISTORY[venue], count=20)
        await market.order(venue, kind="disconnect")
    await market.flow(VENUES, (*STAYING, "NEW"))
    for venue in VENUES:
        await eventually(lambda v=venue: market.counted(**OLD, exchange=v) > before[v])
        await eventually(lambda v=venue: market.health(v, "liquidations")[-1].state != "DOWN")
    market.force(STAYING)
    for venue in VENUES:
        for coin in STAYING:
            await eventually(lambda v=venue, c=coin: market.events(LIQUIDATIONS, v, coin=c))


async def _goes_down(market):
    """A venue that says so before it closes its connections has others in their place by then."""
    gaps = {venue: len(market.gaps(venue)) for venue in VENUES}
    doomed = {venue: set(market.world.venues[venue].listeners) for venue in VENUES}
    for venue in VENUES:
        await market.order(venue, kind="shutdown")
    for venue in VENUES:
        listeners = market.world.venues[venue].listeners
        await eventually(lambda v=venue, now=listeners: not doomed[v] & now)
    await market.flow(VENUES, (*STAYING, "NEW"))
    await eventually(lambda: len(market.gaps("bybit")) > gaps["bybit"])
    for venue in GAPLESS:
        assert not [each for each in market.gaps(venue)[gaps[venue] :] if each.symbol is None]


async def _all_are_there_once(market, venue, coin):
    await market.has_all(venue, coin)
    _, withheld = await market.ledger(venue, coin)
    symbol = market.listing(venue, coin).symbol
    refilled = [each for each in market.gaps(venue) if each.symbol == symbol and each.refilled]
    assert bool(withheld) == (coin == "SOL")
    assert refilled or not withheld


async def _what_is_not_there_is_told(market, venue, coin):
    """Whatever is missing between two trades that came, came while a gap that was told began."""
    sent, withheld = await market.ledger(venue, coin)
    await eventually(lambda: max(sent) in market.numbers(venue, coin))
    found = market.numbers(venue, coin)
    assert {len(trades) for trades in found.values()} == {1}
    gaps = [each for each in market.gaps(venue) if each.symbol is None]
    assert all(each.gap_end_ms - each.gap_start_ms < BY_A_GAP_MS for each in gaps)
    for before, after in pairwise(sorted(found)):
        if withheld.issuperset(range(before + 1, after)):
            continue
        lost_ms, back_ms = (found[number][0].ts_recv_ms for number in (before, after))
        assert [each for each in gaps if lost_ms - 2 <= each.gap_start_ms <= back_ms]
