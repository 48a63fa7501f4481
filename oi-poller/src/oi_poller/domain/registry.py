"""Which contracts there are, and which one of each venue stands for a coin."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from foreshock_exchanges.rest import Ticker
from foreshock_schemas.events import Instrument, MarginTier
from foreshock_schemas.ids import content_id

_TAKES_OVER: Final = 2.0
"""Times the volume of the contract in place, for another to take it."""

Tiers = tuple[MarginTier, ...]


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
        self._told: dict[str, dict[str, Instrument]] = {}

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
        news = [
            contract
            for contract in self._current(venue, strangers, now_ms)
            if not _same(told.get(contract.symbol), contract)
        ]
        told.update((contract.symbol, contract) for contract in news)
        return news

    def _current(self, venue: str, strangers: Collection[str], now_ms: int) -> Iterator[Instrument]:
        listed = self._listed[venue]
        followed = {
            symbol
            for coin, symbol in self._chosen.get(venue, {}).items()
            if coin not in strangers and self._trades(venue, symbol)
        }
        told = self._recalled.get(venue, {}) | self._told[venue]
        for symbol, contract in listed.items():
            if contract.status == "trading" or symbol in told:
                yield contract if symbol in followed else _not_followed(contract)
        for symbol, contract in told.items():
            if symbol not in listed and contract.status != "closed":
                yield _closed(contract, now_ms)

    def _trades(self, venue: str, symbol: str) -> bool:
        contract = self.contract(venue, symbol)
        return contract is not None and contract.status == "trading"

    def _with_tiers(self, contract: Instrument, now_ms: int) -> Instrument:
        tiers = self._tiers.get((contract.exchange, contract.symbol), ())
        if not tiers:
            return contract
        named = content_id(
            contract.exchange, contract.symbol, "instrument", contract.event_id, repr(tiers)
        )
        return replace(contract, event_id=named, ts_event_ms=now_ms, ts_recv_ms=now_ms, tiers=tiers)


def _choice(rivals: list[Ticker], in_place: str | None) -> Ticker:
    best = max(rivals, key=lambda each: (each.volume_24h_usd, each.symbol))
    present = next((each for each in rivals if each.symbol == in_place), best)
    return best if best.volume_24h_usd > present.volume_24h_usd * _TAKES_OVER else present


def _closed(contract: Instrument, now_ms: int) -> Instrument:
    return replace(
        contract,
        event_id=content_id(contract.exchange, contract.symbol, "instrument", "closed", now_ms),
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        status="closed",
    )


def _not_followed(contract: Instrument) -> Instrument:
    named = content_id(
        contract.exchange, contract.symbol, "instrument", contract.event_id, "not followed"
    )
    return replace(contract, event_id=named, followed=False)


def _same(told: Instrument | None, now: Instrument) -> bool:
    return told is now or (told is not None and _meaning(told) == _meaning(now))


def _meaning(contract: Instrument) -> tuple[object, ...]:
    """Return what a contract is; the time at which it was read is no news."""
    return (
        contract.coin,
        contract.quote,
        contract.multiplier,
        contract.contract_size,
        contract.tick_size,
        contract.status,
        contract.funding_interval_h,
        contract.tiers,
        contract.inverse,
        contract.followed,
    )
