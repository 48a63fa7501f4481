"""A coin's statistics, each hour, as its profile and the last day have them."""

from collections import deque
from typing import Final

from foreshock_schemas.events import MarketStats
from foreshock_schemas.ids import derived_id
from foreshock_schemas.tiers import tier_of
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.offline.day import STEP_MS, Day
from foreshock_simulator.offline.venues import Terms

_HOUR_MS: Final = 3_600_000
_STEPS: Final = _HOUR_MS // STEP_MS
_TOLD_AFTER_MS: Final = 1500
_DAYS: Final = 30


class Statistics:
    """One coin's; what of the last day was not seen is as usual."""

    def __init__(self, coin: str, contract: Contract, venues: tuple[Terms, ...]) -> None:
        self._coin = coin
        self._contract = contract
        self._exchanges = tuple(sorted(venue.name for venue in venues))
        usual = contract.profile.daily_usd / 24
        self._hours: deque[float] = deque([usual] * 24, maxlen=24)
        self._prices: deque[float] = deque([contract.profile.price] * 24, maxlen=24)

    def day(self, day: Day) -> list[MarketStats]:
        """Return what is told at the beginning of each hour of a day."""
        found = []
        for step in range(0, len(day), _STEPS):
            price = float(day.before[step])
            found.append(self._told(price, day.start_ms + step * STEP_MS))
            self._hours.append(float(day.usd[step : step + _STEPS].sum()))
            self._prices.append(price)
        return found

    def _told(self, price: float, at_ms: int) -> MarketStats:
        profile = self._contract.profile
        cap_usd = profile.supply * profile.price
        return MarketStats(
            event_id=derived_id("stats", self._coin, at_ms),
            ts_event_ms=at_ms,
            ts_recv_ms=at_ms + _TOLD_AFTER_MS,
            coin=self._coin,
            in_universe=True,
            exchanges=self._exchanges,
            price=price,
            price_change_24h_pct=100 * (price / self._prices[0] - 1),
            volume_24h_usd=sum(self._hours),
            market_cap_usd=cap_usd,
            market_cap_source="simulator",
            market_cap_ms=at_ms,
            tier=tier_of(cap_usd),
            avg_daily_volume_usd=profile.daily_usd,
            volume_days=_DAYS,
            volume_ms=at_ms,
            volatility_daily=profile.volatility,
            volatility_ms=at_ms,
        )
