"""What the gateway knows of the market, from the topics: the newest of everything."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from foreshock_schemas.events import (
    Bar,
    Event,
    FeedHealth,
    Kline,
    Liquidation,
    MarketStats,
    OpenInterest,
    Threshold,
    ZoneMap,
)
from telegram_gateway.domain.flows import Liquidations, Trading
from telegram_gateway.domain.profile import Profile

_READINGS: Final = 70
"""Readings of open interest kept per exchange: an hour at one a minute, and some."""


class CoinView(msgspec.Struct):
    """Everything known of one coin."""

    trading: Trading
    liquidations: Liquidations
    profile: Profile
    open_interest: dict[str, deque[OpenInterest]]
    stats: MarketStats | None = None
    threshold: Threshold | None = None
    zones: ZoneMap | None = None
    price: float | None = None
    price_ms: int = 0
    mark_price: float | None = None


class Views:
    """All coins, and the state of the feeds."""

    def __init__(self) -> None:
        self.coins: dict[str, CoinView] = {}
        self.feeds: dict[tuple[str, str], FeedHealth] = {}
        self._takers: dict[type[Event], Callable[[Any], None]] = {
            Bar: self._on_bar,
            FeedHealth: self._on_feed,
            Kline: lambda kline: self.coin(kline.coin).profile.add_kline(kline),
            Liquidation: lambda event: self.coin(event.coin).liquidations.add(event),
            MarketStats: self._on_stats,
            OpenInterest: self._on_open_interest,
            Threshold: self._on_threshold,
            ZoneMap: self._on_zones,
        }

    def on_event(self, event: Event) -> None:
        """Take one event of any topic that is followed; others are passed over."""
        take = self._takers.get(type(event))
        if take is not None:
            take(event)

    def coin(self, name: str) -> CoinView:
        """Return the view of a coin, a new one if it was never heard of."""
        view = self.coins.get(name)
        if view is None:
            view = self.coins[name] = CoinView(Trading(), Liquidations(), Profile(), {})
        return view

    def followed(self) -> list[str]:
        """Return the coins in the universe, the most traded first."""
        known = [(v.stats, name) for name, v in self.coins.items() if v.stats]
        inside = [(-(s.volume_24h_usd or 0.0), name) for s, name in known if s.in_universe]
        return [name for _, name in sorted(inside)]

    def _on_bar(self, bar: Bar) -> None:
        view = self.coin(bar.coin)
        view.trading.add(bar)
        view.profile.add_bar(bar)
        if bar.mark_price is not None:
            view.mark_price = bar.mark_price
        newest = bar.close if bar.close is not None else bar.mark_price
        if newest is not None and bar.ts_event_ms >= view.price_ms:
            view.price, view.price_ms = newest, bar.ts_event_ms

    def _on_open_interest(self, reading: OpenInterest) -> None:
        view = self.coin(reading.coin)
        view.open_interest.setdefault(reading.exchange, deque(maxlen=_READINGS)).append(reading)
        view.mark_price = reading.mark_price
        if reading.ts_event_ms > view.price_ms:
            view.price, view.price_ms = reading.mark_price, reading.ts_event_ms

    def _on_stats(self, stats: MarketStats) -> None:
        view = self.coin(stats.coin)
        view.stats = stats
        if view.price is None and stats.price is not None:
            view.price, view.price_ms = stats.price, stats.ts_event_ms

    def _on_feed(self, health: FeedHealth) -> None:
        self.feeds[health.exchange, health.channel] = health

    def _on_threshold(self, threshold: Threshold) -> None:
        self.coin(threshold.coin).threshold = threshold

    def _on_zones(self, zones: ZoneMap) -> None:
        self.coin(zones.coin).zones = zones
