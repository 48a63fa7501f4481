"""Which contracts are followed, as oi-poller publishes it."""

import asyncio
from contextlib import suppress
from typing import Final

from foreshock_kit.kafka import Publisher, Record, keep_following
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS

_SETTLE_S: Final = 0.5
"""The poller writes a changed universe coin by coin; half a second without news is its end."""
_SETTLE_AT_MOST_S: Final = 5.0
"""Where there is always news, it is followed nevertheless."""


class Universe:
    """The coins in force and the contracts that trade them.

    `revision` grows with every word on a contract.
    """

    def __init__(self) -> None:
        self._coins: set[str] = set()
        self.revision = 0
        self._contracts: dict[tuple[str, str], Instrument] = {}

    def apply(self, event: MarketStats | Instrument) -> None:
        """Take the newest word on a coin or a contract."""
        if isinstance(event, Instrument):
            self._contracts[event.exchange, event.symbol] = event
            self.revision += 1
        elif event.in_universe:
            self._coins.add(event.coin)
        else:
            self._coins.discard(event.coin)

    def __contains__(self, coin: object) -> bool:
        return coin in self._coins

    def known(self, exchange: str) -> tuple[Instrument, ...]:
        """Return all contracts of the exchange, of any status, by symbol."""
        return tuple(c for (venue, _), c in sorted(self._contracts.items()) if venue == exchange)

    def follows(self, exchange: str, symbol: str) -> bool:
        """Return whether the exchange's contract is one of those followed."""
        contract = self._contracts.get((exchange, symbol))
        return contract is not None and contract.followed and contract.coin in self._coins

    def contracts(self, exchange: str) -> tuple[Instrument, ...]:
        """Return the exchange's trading contracts of the coins followed, by symbol."""
        return tuple(
            contract
            for contract in self.known(exchange)
            if contract.status == "trading" and contract.followed and contract.coin in self._coins
        )


class UniverseWatch:
    """Follows the universe while running."""

    def __init__(self) -> None:
        self.universe = Universe()
        self._stirred = asyncio.Event()
        self._settled = asyncio.Condition()

    async def run(self, settings: KafkaSettings, context: Context, publisher: Publisher) -> None:
        """Read the topics for ever. Readiness waits until what is there has been read.

        `publisher` takes the dead letters.
        """
        context.ready("universe", ok=False, why="not read yet")
        whole = {INSTRUMENTS: None, MARKET_STATS: None}
        async with asyncio.TaskGroup() as group:
            await keep_following(group, settings, context, whole, self._on_record, publisher)
            context.ready("universe")
            await self._announce()

    async def contracts_other_than(
        self, exchange: str, known: tuple[Instrument, ...]
    ) -> tuple[Instrument, ...]:
        """Wait until the exchange's contracts differ from `known`, and return them."""
        async with self._settled:
            while _same(now := self.universe.contracts(exchange), known):
                await self._settled.wait()
            return now

    async def _announce(self) -> None:
        while True:
            await self._stirred.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_AT_MOST_S):
                    await self._settles()
            async with self._settled:
                self._settled.notify_all()

    async def _settles(self) -> None:
        while self._stirred.is_set():
            self._stirred.clear()
            await asyncio.sleep(_SETTLE_S)

    def _on_record(self, record: Record) -> None:
        if isinstance(record.event, (Instrument, MarketStats)):
            self.universe.apply(record.event)
            self._stirred.set()


def _same(these: tuple[Instrument, ...], those: tuple[Instrument, ...]) -> bool:
    return [*map(_meaning, these)] == [*map(_meaning, those)]


def _meaning(contract: Instrument) -> tuple[str, str, float, float]:
    """Return what a contract's frames are read by; its other fields change all the time."""
    return contract.symbol, contract.coin, contract.contract_size, contract.multiplier
