"""What the poller knows of the market: contracts, tickers, histories and caps of all venues."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from foreshock_exchanges.rest import OpenContracts, Premium, Ticker
from foreshock_schemas.events import Instrument, Kline, MarketStats, OpenInterest
from oi_poller.domain import universe
from oi_poller.domain.caps import Cap, choose
from oi_poller.domain.history import Candles, History
from oi_poller.domain.identity import Identities, Stranger
from oi_poller.domain.left_out import LEFT_OUT
from oi_poller.domain.open_interest import readings
from oi_poller.domain.registry import Registry, Tiers
from oi_poller.domain.stats import CoinFacts, market_stats
from oi_poller.domain.tickers import STANDS_MS, Tickers

KEPT_MS: Final = 3 * 86_400_000
"""How long what was learned of a contract is kept after it was followed last."""


class Missing(msgspec.Struct, frozen=True):
    """Hourly candles to ask for: the newest `hours` of a contract."""

    venue: str
    coin: str
    symbol: str
    hours: int


class Market:
    """Decides which coins are followed, and on each venue by which contract."""

    def __init__(self, venues: Collection[str], coins: Sequence[str], top: int) -> None:
        self.universe: frozenset[str] = frozenset()
        self._venues = venues
        self._coins = coins
        self._top = top
        self._registry = Registry()
        self._tickers = Tickers()
        self._identities = Identities()
        self._followed: dict[str, dict[str, Ticker]] = {}
        self._intervals: dict[str, Mapping[str, float]] = {}
        self._candles: dict[tuple[str, str], Candles] = {}
        self._histories: dict[str, dict[str, History]] = {}
        self._caps: dict[str, Cap] = {}
        self._recalled: dict[str, MarketStats] = {}
        self._left: set[str] = set()

    @property
    def listed(self) -> bool:
        """Whether any venue has said what it trades, and the coins are chosen."""
        return bool(self._followed)

    def lists(self, venue: str) -> bool:
        """Return whether a venue's contracts are known."""
        return self._registry.lists(venue)

    def unlisted(self) -> list[str]:
        """Return the coins asked for that no venue lists, once one has said what it trades."""
        wanted = {coin.upper() for coin in self._coins}
        return sorted(wanted - self._followed.keys() - self.universe) if self.listed else []

    def recall(self, told: MarketStats | Instrument) -> None:
        """Take a coin or a contract as an earlier run left it."""
        if isinstance(told, Instrument):
            followed = self._registry.recall(told)
            self._identities.recall(told.exchange, told.coin, followed=followed)
            return
        only = {told.coin}
        self.universe = self.universe | only if told.in_universe else self.universe - only
        self._recalled[told.coin] = told
        if told.market_cap_usd is not None:
            self._caps[told.coin] = Cap(
                coin=told.coin,
                usd=told.market_cap_usd,
                price=None,
                source=told.market_cap_source or "",
                ts_ms=told.market_cap_ms or 0,
            )

    def learn_contracts(self, venue: str, contracts: Iterable[Instrument]) -> None:
        """Take a venue's contracts: all that it lists."""
        self._registry.learn(venue, contracts)

    def learn_intervals(self, venue: str, hours: Mapping[str, float]) -> None:
        """Take a venue's funding intervals by symbol."""
        self._intervals[venue] = hours

    def learn_tiers(self, venue: str, tiers: Mapping[str, Tiers], now_ms: int) -> None:
        """Take a venue's margin tiers by symbol."""
        self._registry.learn_tiers(venue, tiers, now_ms)

    def learn_tickers(self, venue: str, tickers: Mapping[str, Ticker], now_ms: int) -> None:
        """Take a venue's tickers by symbol, those that have a price.

        Without the venue's contracts they say nothing: which of them trade is not known.
        """
        if self._registry.lists(venue):
            priced = {symbol: each for symbol, each in tickers.items() if each.last_price > 0}
            self._tickers.learn(venue, self._registry.choose(venue, priced), now_ms)

    def decide(self, now_ms: int) -> list[Stranger]:
        """Choose coins and contracts by what is known; return contracts found to be strangers."""
        standing, fresh = self._tickers.standing(now_ms), self._tickers.fresh(now_ms)
        strangers = [
            stranger
            for coin, tickers in standing.items()
            for stranger in self._identities.judge(coin, tickers, fresh, now_ms)
        ]
        self._followed = {
            coin: there
            for coin, tickers in standing.items()
            if (there := {v: t for v, t in tickers.items() if self._identities.is_coin(v, coin)})
        }
        chosen = self._choose(now_ms)
        self._left |= self.universe - chosen
        self.universe = chosen
        return strangers

    def news(self, venue: str, now_ms: int) -> list[Instrument]:
        """Return a venue's contracts that have changed since they were told, as told now."""
        return self._registry.news(venue, self._identities.strangers(venue), now_ms)

    def learn_candles(self, missing: Missing, klines: Sequence[Kline], now_ms: int) -> list[Kline]:
        """Take the candles that were missing; return those that are finished and new."""
        candles = self._candles.setdefault((missing.venue, missing.symbol), Candles())
        new = candles.add(klines, now_ms)
        if history := candles.history():
            self._histories.setdefault(missing.coin, {})[missing.venue] = history
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
        """Return the price of every coin in the universe, on the venue that trades it most."""
        return {
            coin: max(tickers.values(), key=lambda each: each.volume_24h_usd).last_price
            for coin in self.universe
            if (tickers := self._followed.get(coin))
        }

    def symbols(self, venue: str) -> dict[str, str]:
        """Return the venue's symbols of the coins in the universe, by coin."""
        return {
            coin: ticker.symbol
            for coin in sorted(self.universe)
            if (ticker := self._followed.get(coin, {}).get(venue)) is not None
        }

    def without_history(self, venue: str, now_ms: int) -> list[Missing]:
        """Return the contracts whose history is missing or older than an hour's candle."""
        none = Candles()
        return [
            Missing(venue, coin, symbol, hours)
            for coin, symbol in self.symbols(venue).items()
            if (hours := self._candles.get((venue, symbol), none).missing(now_ms))
        ]

    def without_cap(self) -> bool:
        """Return whether a coin of the universe has no cap yet."""
        return bool(self.universe - self._caps.keys())

    def stats(self, now_ms: int) -> list[MarketStats]:
        """Return the statistics of every coin in the universe, and of those that just left it.

        Of a coin that only silent venues list, what was told last stands.
        """
        left, self._left = self._left - self.universe, set()
        known = self.universe & self._followed.keys()
        return [self._stats_of(coin, now_ms) for coin in sorted(known | left)]

    def forget(self, now_ms: int) -> None:
        """Let go of candles, histories and caps of contracts and coins that left 3 days ago."""
        oldest_ms = now_ms - KEPT_MS
        followed = {(venue, s) for venue in self._venues for s in self.symbols(venue).values()}
        for contract, candles in list(self._candles.items()):
            if contract not in followed and candles.until_ms < oldest_ms:
                del self._candles[contract]
        for coin in self._histories.keys() - self.universe:
            if all(each.until_ms < oldest_ms for each in self._histories[coin].values()):
                del self._histories[coin]
        for coin in self._caps.keys() - self.universe - self._histories.keys():
            del self._caps[coin]

    def open_interest(
        self,
        venue: str,
        rows: Iterable[OpenContracts],
        premiums: Mapping[str, Premium],
        usual_interval_h: float,
        recv_ms: int,
        comparable_since_ms: int = 0,
    ) -> list[OpenInterest]:
        """Return the readings of a venue's contracts whose mark price is known."""

        def interval_h(symbol: str) -> float:
            if (told := self._intervals.get(venue, {}).get(symbol)) is not None:
                return told
            contract = self._registry.contract(venue, symbol)
            return (contract and contract.funding_interval_h) or usual_interval_h

        return readings(venue, rows, premiums, interval_h, recv_ms, comparable_since_ms)

    def _stats_of(self, coin: str, now_ms: int) -> MarketStats:
        tickers = self._followed.get(coin, {})
        histories = self._histories.get(coin, {})
        facts = CoinFacts(
            tickers=tickers,
            histories={venue: each for venue, each in histories.items() if venue in tickers},
            cap=self._caps.get(coin),
        )
        return market_stats(coin, facts, in_universe=coin in self.universe, now_ms=now_ms)

    def _choose(self, now_ms: int) -> frozenset[str]:
        volumes = {
            coin: sum(ticker.volume_24h_usd for ticker in tickers.values())
            for coin, tickers in self._followed.items()
        }
        for coin, volume in self._remembered(now_ms):
            volumes[coin] = max(volume, volumes.get(coin, 0.0))
        if self._coins:
            return universe.by_request(self._coins, volumes)
        wanted = {coin: volume for coin, volume in volumes.items() if coin not in LEFT_OUT}
        return universe.by_volume(wanted, self._top, self.universe)

    def _remembered(self, now_ms: int) -> Iterator[tuple[str, float]]:
        """Yield coins and volumes that an earlier run knew from venues still silent in this one."""
        silent = {venue for venue in self._venues if not self._tickers.heard(venue)}
        for coin in self.universe & self._recalled.keys() if silent else ():
            told = self._recalled[coin]
            if silent.intersection(told.exchanges) and now_ms - told.ts_event_ms <= STANDS_MS:
                yield coin, told.volume_24h_usd or 0.0
