"""Which contracts there are, and which one of each venue stands for a coin."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from foreshock_exchanges.contracts import meaning, named
from foreshock_exchanges.rest import Ticker
from foreshock_schemas.events import Instrument, MarginTier

_TAKES_OVER: Final = 2.0
"""Times the volume of the contract in place, for another to take it."""

Tiers = tuple[MarginTier, ...]


class _Told(NamedTuple):
    """A contract as the venue listed it when it was told, and how it was told."""

    contract: Instrument
    followed: bool

    def as_told(self) -> Instrument:
        return replace(self.contract, followed=self.followed)

    def is_same(self, contract: Instrument, followed: bool) -> bool:
        if followed != self.followed:
            return False
        return contract is self.contract or meaning(contract) == meaning(self.contract)


class Registry:
    """The venues' contracts, and which of each coin and venue is followed: the most traded.

    All that trade are told, for what their sizes mean. One that was told and is listed no more is
    told once as closed.
    """

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, Instrument]] = {}
        self._chosen: dict[str, dict[str, str]] = {}
        self._tiers: dict[tuple[str, str], Tiers] = {}
        self._recalled: dict[str, dict[str, Instrument]] = {}
        self._told: dict[str, dict[str, _Told]] = {}

    def recall(self, contract: Instrument) -> bool:
        """Take a contract as an earlier run told it; all are told anew nevertheless.

        Returns whether one stood for its coin then.
        """
        venue, coin, symbol = contract.exchange, contract.coin, contract.symbol
        self._recalled.setdefault(venue, {})[symbol] = contract
        chosen = self._chosen.setdefault(venue, {})
        if contract.status == "trading" and contract.followed:
            chosen[coin] = symbol
        elif chosen.get(coin) == symbol:
            del chosen[coin]
        self._tiers[venue, symbol] = contract.tiers
        return coin in chosen

    def learn(self, venue: str, contracts: Iterable[Instrument]) -> None:
        """Take a venue's contracts: all that it lists."""
        self._listed[venue] = {
            each.symbol: each if each.tiers else self._with_tiers(each, each.ts_event_ms)
            for each in contracts
        }

    def learn_tiers(self, venue: str, tiers: Mapping[str, Tiers], now_ms: int) -> None:
        """Take margin tiers by symbol, for contracts whose listing does not tell them."""
        listed = self._listed.get(venue, {})
        for symbol, each in tiers.items():
            self._tiers[venue, symbol] = each
            if symbol in listed and listed[symbol].tiers != each:
                listed[symbol] = self._with_tiers(listed[symbol], now_ms)

    def lists(self, venue: str) -> bool:
        """Return whether the venue has said what it lists."""
        return venue in self._listed

    def contract(self, venue: str, symbol: str) -> Instrument | None:
        """Return a contract as the venue lists it."""
        return self._listed.get(venue, {}).get(symbol)

    def choose(self, venue: str, tickers: Mapping[str, Ticker]) -> dict[str, Ticker]:
        """Return by coin the ticker of the contract that stands for it, from those by symbol.

        The contract in place stays unless another has twice its volume.
        """
        rivals: dict[str, list[Ticker]] = {}
        for symbol, contract in self._listed.get(venue, {}).items():
            if contract.status == "trading" and (ticker := tickers.get(symbol)) is not None:
                rivals.setdefault(contract.coin, []).append(ticker)
        before = self._chosen.get(venue, {})
        found = {coin: _choice(each, before.get(coin)) for coin, each in rivals.items()}
        silent = {c: s for c, s in before.items() if c not in found and self._trades(venue, s)}
        self._chosen[venue] = silent | {coin: ticker.symbol for coin, ticker in found.items()}
        return found

    def news(self, venue: str, strangers: Collection[str], now_ms: int) -> list[Instrument]:
        """Return what has changed of a venue's contracts since it was told, told now.

        `strangers` are tickers that mean another coin on this venue.
        """
        if venue not in self._listed:
            return []
        told = self._told.setdefault(venue, {})
        recalled = self._recalled.pop(venue, {})
        news = []
        for contract, followed in self._current(venue, strangers, told.keys() | recalled.keys()):
            before = told.get(contract.symbol)
            if before is None or not before.is_same(contract, followed):
                now = told[contract.symbol] = _Told(contract, followed)
                news.append(named(now.as_told(), now_ms))
        for symbol in sorted((told.keys() | recalled.keys()) - self._listed[venue].keys()):
            self._tiers.pop((venue, symbol), None)
            last = told.pop(symbol).as_told() if symbol in told else recalled[symbol]
            if last.status != "closed":
                news.append(_closed(last, now_ms))
        return news

    def _current(
        self, venue: str, strangers: Collection[str], told: Collection[str]
    ) -> Iterator[tuple[Instrument, bool]]:
        """Yield the contracts to be told, and whether each is followed."""
        followed = {
            symbol
            for coin, symbol in self._chosen.get(venue, {}).items()
            if coin not in strangers and self._trades(venue, symbol)
        }
        for symbol, contract in self._listed[venue].items():
            if contract.status == "trading" or symbol in told:
                yield contract, symbol in followed

    def _trades(self, venue: str, symbol: str) -> bool:
        contract = self.contract(venue, symbol)
        return contract is not None and contract.status == "trading"

    def _with_tiers(self, contract: Instrument, now_ms: int) -> Instrument:
        tiers = self._tiers.get((contract.exchange, contract.symbol), ())
        if not tiers:
            return contract
        return replace(contract, ts_event_ms=now_ms, ts_recv_ms=now_ms, tiers=tiers)


def _choice(rivals: list[Ticker], in_place: str | None) -> Ticker:
    best = max(rivals, key=lambda each: (each.volume_24h_usd, each.symbol))
    present = next((each for each in rivals if each.symbol == in_place), best)
    return best if best.volume_24h_usd > present.volume_24h_usd * _TAKES_OVER else present


def _closed(contract: Instrument, now_ms: int) -> Instrument:
    closed = replace(contract, ts_event_ms=now_ms, ts_recv_ms=now_ms, status="closed")
    return named(closed, now_ms)
