"""A coin's statistics, put together from what the venues and sources said."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_exchanges.rest import Ticker
from foreshock_schemas.events import MarketStats
from foreshock_schemas.ids import derived_id
from foreshock_schemas.tiers import tier_of
from oi_poller.domain.caps import Cap
from oi_poller.domain.history import History

_DAYS: Final = 30


class CoinFacts(msgspec.Struct, kw_only=True):
    """Everything known of a coin, by exchange where it is an exchange's word."""

    tickers: dict[str, Ticker]
    histories: dict[str, History]
    cap: Cap | None = None


def market_stats(coin: str, facts: CoinFacts, *, in_universe: bool, now_ms: int) -> MarketStats:
    """Return the coin's statistics; what nobody said is missing.

    Volumes are summed over exchanges; price, change and volatility are those of the exchange
    that trades the coin most.
    """
    leader = max(facts.tickers.values(), key=lambda t: t.volume_24h_usd, default=None)
    history = _leading_history(facts)
    daily = _daily_volumes(facts.histories)
    cap = facts.cap
    return MarketStats(
        event_id=derived_id("stats", coin, now_ms),
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        coin=coin,
        in_universe=in_universe,
        exchanges=tuple(sorted(facts.tickers)),
        price=leader.last_price if leader else None,
        price_change_24h_pct=leader.change_24h_pct if leader else None,
        volume_24h_usd=sum(t.volume_24h_usd for t in facts.tickers.values()) if leader else None,
        market_cap_usd=cap.usd if cap else None,
        market_cap_source=cap.source if cap else None,
        market_cap_ms=cap.ts_ms if cap else None,
        tier=tier_of(cap.usd) if cap else None,
        avg_daily_volume_usd=sum(daily) / len(daily) if daily else None,
        volume_days=len(daily),
        volume_ms=history.until_ms if history and daily else None,
        volatility_daily=history.volatility_daily if history else None,
        volatility_ms=history.until_ms if history and history.volatility_daily else None,
    )


def _leading_history(facts: CoinFacts) -> History | None:
    def volume(exchange: str) -> float:
        ticker = facts.tickers.get(exchange)
        return ticker.volume_24h_usd if ticker else 0.0

    exchange = max(facts.histories, key=volume, default=None)
    return facts.histories[exchange] if exchange else None


def _daily_volumes(histories: Mapping[str, History]) -> list[float]:
    longest = max((len(h.daily_usd) for h in histories.values()), default=0)
    return [
        sum(h.daily_usd[-day] for h in histories.values() if len(h.daily_usd) >= day)
        for day in range(1, min(longest, _DAYS) + 1)
    ]
