"""What the poller knows of the market, and the events that follow from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from foreshock_exchanges.base import OpenContracts, Premium, Ticker
from foreshock_schemas.events import Instrument, MarketStats, OpenInterest
from foreshock_schemas.ids import venue_id
from oi_poller.domain import universe
from oi_poller.domain.caps import Cap, choose
from oi_poller.domain.history import History
from oi_poller.domain.stats import CoinFacts, market_stats

_HOUR_MS: Final = 3_600_000


class Market:
    """The contracts, tickers, histories and caps of all venues; decides the universe."""

    def __init__(self, coins: Sequence[str], top: int) -> None:
        self.universe: frozenset[str] = frozenset()
        self._coins = coins
        self._top = top
        self._contracts: dict[str, dict[str, Instrument]] = {}
        self._tickers: dict[str, dict[str, Ticker]] = {}
        self._intervals: dict[str, Mapping[str, float]] = {}
        self._histories: dict[str, dict[str, History]] = {}
        self._caps: dict[str, Cap] = {}
        self._left: set[str] = set()

    def learn_contracts(self, venue: str, contracts: Iterable[Instrument]) -> list[Instrument]:
        """Take a venue's contracts; return those that are new or have changed."""
        known = self._contracts.get(venue, {})
        self._contracts[venue] = {c.symbol: c for c in contracts}
        return [c for c in self._contracts[venue].values() if _changed(known.get(c.symbol), c)]

    def learn_intervals(self, venue: str, hours: Mapping[str, float]) -> None:
        """Take a venue's funding intervals by symbol."""
        self._intervals[venue] = hours

    def learn_tickers(self, venue: str, tickers: Mapping[str, Ticker]) -> None:
        """Take a venue's tickers by symbol, and decide the universe anew."""
        trading = self._contracts.get(venue, {})
        self._tickers[venue] = {
            t.coin: t for s, t in tickers.items() if s in trading and trading[s].status == "trading"
        }
        chosen = self._choose()
        self._left |= self.universe - chosen
        self.universe = chosen

    def learn_history(self, coin: str, venue: str, history: History) -> None:
        """Take a coin's history on a venue."""
        self._histories.setdefault(coin, {})[venue] = history

    def history_until_ms(self, coin: str, venue: str) -> int:
        """Return the end of the newest candle known of a coin on a venue; 0 for none."""
        history = self._histories.get(coin, {}).get(venue)
        return history.until_ms if history else 0

    def learn_caps(self, sources: Sequence[Mapping[str, tuple[Cap, ...]]]) -> None:
        """Take what the sources say, the first that knows a coin before the others."""
        prices = self.prices()
        for coin in self.universe:
            if cap := choose(coin, prices.get(coin), sources):
                self._caps[coin] = cap

    def prices(self) -> dict[str, float]:
        """Return the last price of every coin in the universe."""
        return {
            coin: tickers[coin].last_price
            for tickers in self._tickers.values()
            for coin in self.universe
            if coin in tickers
        }

    def symbols(self, venue: str) -> dict[str, str]:
        """Return the venue's symbols of the coins in the universe, by coin."""
        tickers = self._tickers.get(venue, {})
        return {coin: tickers[coin].symbol for coin in sorted(self.universe) if coin in tickers}

    def without_history(self, now_ms: int) -> list[tuple[str, str, str]]:
        """Return (venue, coin, symbol) whose history is missing or older than an hour's candle."""
        return [
            (venue, coin, symbol)
            for venue in self._tickers
            for coin, symbol in self.symbols(venue).items()
            if _stale(self._histories.get(coin, {}).get(venue), now_ms)
        ]

    def without_cap(self) -> bool:
        """Return whether a coin of the universe has no cap yet."""
        return bool(self.universe - self._caps.keys())

    def stats(self, now_ms: int) -> list[MarketStats]:
        """Return the statistics of every coin in the universe, and of those that just left it."""
        left, self._left = self._left - self.universe, set()
        return [self._stats_of(coin, now_ms) for coin in sorted(self.universe | left)]

    def _stats_of(self, coin: str, now_ms: int) -> MarketStats:
        facts = CoinFacts(
            tickers={venue: t[coin] for venue, t in self._tickers.items() if coin in t},
            histories=self._histories.get(coin, {}),
            cap=self._caps.get(coin),
        )
        return market_stats(coin, facts, in_universe=coin in self.universe, now_ms=now_ms)

    def open_interest(
        self,
        venue: str,
        rows: Iterable[OpenContracts],
        premiums: Mapping[str, Premium],
        usual_interval_h: float,
        recv_ms: int,
    ) -> list[OpenInterest]:
        """Return the open interest of contracts whose mark price is known."""
        hours = self._intervals.get(venue, {})
        return [
            OpenInterest(
                event_id=venue_id(venue, row.symbol, "oi", row.ts_event_ms),
                ts_event_ms=row.ts_event_ms,
                ts_recv_ms=recv_ms,
                exchange=venue,
                symbol=row.symbol,
                coin=row.coin,
                open_interest_coins=row.open_interest_coins,
                open_interest_usd=row.open_interest_coins * premium.mark_price,
                mark_price=premium.mark_price,
                index_price=premium.index_price,
                funding_rate=premium.funding_rate,
                funding_interval_h=hours.get(row.symbol, usual_interval_h),
                next_funding_ms=premium.next_funding_ms,
            )
            for row in rows
            if (premium := premiums.get(row.symbol)) is not None
        ]

    def _choose(self) -> frozenset[str]:
        volumes: dict[str, float] = {}
        for tickers in self._tickers.values():
            for coin, ticker in tickers.items():
                volumes[coin] = volumes.get(coin, 0.0) + ticker.volume_24h_usd
        if self._coins:
            return universe.by_request(self._coins, volumes)
        return universe.by_volume(volumes, self._top, self.universe)


def _changed(before: Instrument | None, now: Instrument) -> bool:
    if before is None:
        return True
    return (before.status, before.contract_size, before.multiplier, before.tiers) != (
        now.status,
        now.contract_size,
        now.multiplier,
        now.tiers,
    )


def _stale(history: History | None, now_ms: int) -> bool:
    return history is None or now_ms - history.until_ms > _HOUR_MS + 60_000
