"""What the poller knows of the market, and the events that follow from it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from foreshock_exchanges.rest import OpenContracts, Premium, Ticker
from foreshock_schemas.events import Instrument, Kline, MarketStats, OpenInterest
from foreshock_schemas.ids import venue_id
from oi_poller.domain import universe
from oi_poller.domain.caps import Cap, choose
from oi_poller.domain.history import Candles, History
from oi_poller.domain.stats import CoinFacts, market_stats


class Missing(msgspec.Struct, frozen=True):
    """Hourly candles to ask for: the newest `hours` of a contract."""

    venue: str
    coin: str
    symbol: str
    hours: int


class Market:
    """The contracts, tickers, histories and caps of all venues; decides the universe."""

    def __init__(self, coins: Sequence[str], top: int) -> None:
        self.universe: frozenset[str] = frozenset()
        self._coins = coins
        self._top = top
        self._contracts: dict[str, dict[str, Instrument]] = {}
        self._tickers: dict[str, dict[str, Ticker]] = {}
        self._intervals: dict[str, Mapping[str, float]] = {}
        self._candles: dict[tuple[str, str], Candles] = {}
        self._histories: dict[str, dict[str, History]] = {}
        self._caps: dict[str, Cap] = {}
        self._left: set[str] = set()

    @property
    def listed(self) -> bool:
        """Whether any venue has said what it trades."""
        return any(self._tickers.values())

    def unlisted(self) -> list[str]:
        """Return the coins asked for that no venue lists, once one has said what it trades."""
        known = {coin for tickers in self._tickers.values() for coin in tickers}
        return sorted({coin.upper() for coin in self._coins} - known) if self.listed else []

    def recall(self, stats: MarketStats) -> None:
        """Take a coin as an earlier run left it: in the universe or not, and its cap."""
        only = {stats.coin}
        self.universe = self.universe | only if stats.in_universe else self.universe - only
        if stats.market_cap_usd is not None:
            self._caps[stats.coin] = Cap(
                coin=stats.coin,
                usd=stats.market_cap_usd,
                price=None,
                source=stats.market_cap_source or "",
                ts_ms=stats.market_cap_ms or 0,
            )

    def learn_contracts(self, venue: str, contracts: Iterable[Instrument]) -> list[Instrument]:
        """Take a venue's contracts; return those that are new or have changed."""
        known = self._contracts.get(venue, {})
        self._contracts[venue] = {c.symbol: c for c in contracts}
        return [c for c in self._contracts[venue].values() if _changed(known.get(c.symbol), c)]

    def learn_intervals(self, venue: str, hours: Mapping[str, float]) -> None:
        """Take a venue's funding intervals by symbol."""
        self._intervals[venue] = hours

    def learn_tickers(self, venue: str, tickers: Mapping[str, Ticker]) -> None:
        """Take a venue's tickers by symbol, and decide the universe anew.

        Without the venue's contracts they say nothing: which of them trade is not known.
        """
        trading = self._contracts.get(venue)
        if not trading:
            return
        self._tickers[venue] = {
            t.coin: t for s, t in tickers.items() if s in trading and trading[s].status == "trading"
        }
        chosen = self._choose()
        self._left |= self.universe - chosen
        self.universe = chosen

    def learn_candles(
        self, coin: str, venue: str, klines: Sequence[Kline], now_ms: int
    ) -> list[Kline]:
        """Take a coin's hourly candles on a venue; return those that are finished and new."""
        candles = self._candles.setdefault((coin, venue), Candles())
        new = candles.add(klines, now_ms)
        if history := candles.history():
            self._histories.setdefault(coin, {})[venue] = history
        return new

    def learn_caps(self, sources: Sequence[Mapping[str, tuple[Cap, ...]]]) -> None:
        """Take what the sources say, the first that knows a coin before the others.

        What is known stays while the sources that answer know only something older.
        """
        prices = self.prices()
        for coin in self.universe:
            cap, held = choose(coin, prices.get(coin), sources), self._caps.get(coin)
            if cap and (held is None or cap.ts_ms >= held.ts_ms):
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

    def without_history(self, now_ms: int) -> list[Missing]:
        """Return the contracts whose history is missing or older than an hour's candle."""
        none = Candles()
        return [
            Missing(venue, coin, symbol, hours)
            for venue in self._tickers
            for coin, symbol in self.symbols(venue).items()
            if (hours := self._candles.get((coin, venue), none).missing(now_ms))
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
