"""Records of a coin of a billion dollars a day, and the requirements' rules that read them."""

from datetime import UTC, datetime

from foreshock_schemas.events import Bar, Evidence, Liquidation, MarketStats, OpenInterest, Signal
from foreshock_schemas.testing import sample
from threshold_service.domain.limits import Limits
from threshold_service.domain.rules import Rules
from threshold_service.domain.surroundings import SETTLED_MS

MINUTE = 60_000
T0 = int(datetime(2026, 6, 16, 15, 0, tzinfo=UTC).timestamp() * 1000)  # a Tuesday, US session
SINGLE_USD = 1e6  # of the coin below: 1e9 a day, 0.1 %
SPIKE_USD = 1e9 / 96 * 3
OI_MINIMUM_USD = 2.5e6


def stats(at_ms=T0 - MINUTE, coin="SOL", daily_usd=1e9):
    return sample(
        MarketStats,
        event_id=f"stats:{coin}:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 20,
        coin=coin,
        price=150.0,
        market_cap_usd=50e9,
        market_cap_ms=at_ms,
        avg_daily_volume_usd=daily_usd,
        volume_days=30,
        volume_ms=at_ms,
        volatility_daily=0.05,
        volatility_ms=at_ms,
    )


def liquidation(second, usd, position="long", exchange="binance", coverage="sampled", coin="SOL"):
    at_ms = T0 + round(second * 1000)
    return Liquidation(
        event_id=f"{exchange}:{coin}:liq:{second}:{usd}:{position}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 40,
        exchange=exchange,
        symbol=f"{coin}USDT",
        coin=coin,
        position=position,
        price=150.0,
        size_coins=usd / 150,
        notional_usd=usd,
        coverage=coverage,
    )


def bar(second, usd, exchange="binance", late_usd=0.0, bought=0.5, mark=None, close=150.0):
    at_ms = T0 + round(second) * 1000
    return sample(
        Bar,
        event_id=f"{exchange}:SOL:bar:{second}:{usd}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 1000,
        exchange=exchange,
        coin="SOL",
        close=close,
        notional_usd=usd,
        taker_buy_usd=usd * bought,
        largest_cluster_usd=usd,
        late_notional_usd=late_usd,
        mark_price=mark,
    )


def reading(minute, coins, exchange="binance", mark=150.0):
    at_ms = T0 + round(minute * MINUTE)
    return sample(
        OpenInterest,
        event_id=f"{exchange}:SOLUSDT:oi:{at_ms}",
        ts_event_ms=at_ms,
        ts_recv_ms=at_ms + 60,
        exchange=exchange,
        symbol="SOLUSDT",
        coin="SOL",
        open_interest_coins=coins,
        open_interest_usd=coins * mark,
        mark_price=mark,
    )


def place(offset, event):
    return Evidence(topic="t", partition=3, offset=offset, event_id=event.event_id)


class ByRules:
    """Coins under the requirements' own rules, with their dynamic limits."""

    def __init__(self):
        self.coins = {}

    def on_event(self, event, evidence):
        if event.coin not in self.coins:
            self.coins[event.coin] = Limits(event.coin), Rules()
        limits, rules = self.coins[event.coin]
        if isinstance(event, MarketStats):
            found = [limits.on_stats(event, dynamic=True)]
        else:
            held = limits.at(event.ts_recv_ms - SETTLED_MS, dynamic=True)
            by_type = {Bar: rules.on_bar, OpenInterest: rules.on_reading}
            if isinstance(event, Liquidation):
                found = rules.on_liquidation(event, evidence, held)
            else:
                found = [by_type[type(event)](event, evidence, held)]
        return [each for each in found if each is not None]


def feed(detection, events, start=0):
    return [
        output
        for offset, event in enumerate(events, start)
        for output in detection.on_event(event, place(offset, event))
        if isinstance(output, Signal)
    ]


def signals(*events, kind=None):
    detection = ByRules()
    detection.on_event(stats(), place(0, stats()))
    return [each for each in feed(detection, events, 1) if kind in (None, each.kind)]
