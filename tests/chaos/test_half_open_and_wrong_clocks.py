"""Connections that stay open and silent, and venues whose clock is wrong."""

import pytest

from foreshock_kit.testing import eventually

pytestmark = pytest.mark.chaos

VENUES = ("binance", "bybit", "okx")
GAPLESS = ("binance", "okx")
COINS = ("BTC", "ETH", "SOL")
CHANNELS = tuple((venue, each) for venue in VENUES for each in ("trades", "liquidations"))
SILENCE_S = {"binance": 15, "bybit": 30, "okx": 30}
MALFORMED = "foreshock_ingest_trades_malformed_total"


async def test_a_half_open_connection_is_given_up_and_what_it_kept_is_asked_for(live):
    async with live(COINS, pace=10) as market:
        for venue, channel in CHANNELS:
            await market.is_heard(venue, channel)
        for venue in VENUES:
            await market.order(venue, kind="half_open")
        for venue, channel in CHANNELS:
            await eventually(lambda v=venue, c=channel: _silent_ms(market, v, c), 20)
            assert _silent_ms(market, venue, channel) >= SILENCE_S[venue] * 1000
            assert "DOWN" in {each.state for each in market.health(venue, channel)}
        await market.flow(VENUES, COINS)
        for venue in GAPLESS:
            await eventually(lambda v=venue: {e.symbol for e in market.gaps(v)} > {None}, 20)
        market.flows = False
        for venue in GAPLESS:
            for coin in COINS:
                await market.has_all(venue, coin)


def _silent_ms(market, venue, channel):
    """Return how long the connection was lost, once it is back."""
    gaps = [each for each in market.gaps(venue, channel) if each.symbol is None]
    return sum(each.gap_end_ms - each.gap_start_ms for each in gaps)


async def test_what_a_clock_that_is_ahead_dates_is_refused_and_one_behind_believed(live):
    async with live(COINS) as market:
        await market.flow(VENUES, COINS)
        refused = {venue: market.counted(MALFORMED, exchange=venue) for venue in VENUES}
        for venue, ms in (("binance", 10_000), ("bybit", 10_000), ("okx", -2_000)):
            await market.order(venue, kind="skew", ms=ms)
        for venue in ("binance", "bybit"):
            await eventually(
                lambda v=venue: market.counted(MALFORMED, exchange=v) > refused[v] + 20
            )
        await eventually(lambda: _latest_ms(market, "okx", "BTC") >= 2_000)
        await market.is_told("binance", "trades", "DOWN")
        reason = market.health("binance", "trades")[-1].reason
        assert reason == "frames refused: their clock is 10 s ahead of ours"
        assert market.counted(MALFORMED, exchange="okx") == refused["okx"]
        for venue in VENUES:
            await market.order(venue, kind="lift")
        await market.flow(VENUES, COINS)
        symbols = {market.listing("binance", coin).symbol for coin in COINS}
        await eventually(lambda: _unfilled(market, "binance") == symbols)
        market.flows = False
        for coin in COINS:
            await market.has_all("okx", coin)
            for venue in VENUES:
                for each in market.trades(venue, coin):
                    assert each.ts_event_ms <= each.ts_recv_ms + 5_000
        assert market.gaps("okx") == []


def _latest_ms(market, venue, coin):
    return max(each.ts_recv_ms - each.ts_event_ms for each in market.trades(venue, coin))


def _unfilled(market, venue):
    """Return the symbols of gaps that REST could not fill: its times are wrong, too."""
    return {each.symbol for each in market.gaps(venue) if each.symbol and not each.refilled}
