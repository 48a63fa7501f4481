"""One contract, and what prices and sizes on the wire mean in it: USD, coins, events."""

import msgspec

from foreshock_exchanges.base import MarkPrice
from foreshock_exchanges.rest import OpenContracts, Premium, Ticker
from foreshock_exchanges.wire import finite
from foreshock_schemas.events import (
    AHEAD_MS,
    Aggressor,
    Coverage,
    Liquidation,
    OpenInterest,
    Position,
    Trade,
)


class ClockAhead(ValueError):
    """A time lies further ahead of ours than a venue's clock may be."""

    def __init__(self, ts_event_ms: int, ahead_ms: int) -> None:
        super().__init__(f"event time {ts_event_ms} is {ahead_ms} ms ahead of receipt")
        self.ahead_ms = ahead_ms


class Contract(msgspec.Struct, frozen=True, gc=False):
    """One contract: `multiplier` coins are one unit of its price, `size` units are one contract.

    An `inverse` one is `size` of the quote currency. Prices on the wire are for one unit, sizes
    count contracts.
    """

    exchange: str
    symbol: str
    coin: str
    multiplier: float = 1.0
    size: float = 1.0
    inverse: bool = False

    def usd(self, price: float, contracts: float) -> float:
        """Return what contracts are worth at a price on the wire; USD."""
        units = contracts * self.size
        return units if self.inverse else units * price

    def coins(self, price: float, contracts: float) -> float:
        """Return how many coins contracts are, at a price on the wire."""
        units = contracts * self.size
        return (units / price if self.inverse else units) * self.multiplier

    def trade(
        self,
        stream: str,
        number: int | str,
        aggressor: Aggressor,
        price: float,
        contracts: float,
        ts_event_ms: int,
        ts_recv_ms: int,
    ) -> Trade:
        """Return a trade of `contracts` at `price`, both as on the wire.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms, ts_recv_ms)
        return Trade(
            event_id=f"{self.exchange}:{self.symbol}:{stream}:{number}",
            ts_event_ms=ts_event_ms,
            ts_recv_ms=ts_recv_ms,
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            aggressor=aggressor,
            price=price / self.multiplier,
            size_coins=self.coins(price, contracts),
            notional_usd=self.usd(price, contracts),
        )

    def liquidation(
        self,
        event_id: str,
        position: Position,
        price: float,
        contracts: float,
        ts_event_ms: int | None,
        ts_recv_ms: int,
        coverage: Coverage,
    ) -> Liquidation:
        """Return a liquidation of `contracts` at `price`, both as on the wire.

        Without a time of the venue's the receive time stands in, and `ts_source` says so.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms or ts_recv_ms, ts_recv_ms)
        return Liquidation(
            event_id=event_id,
            ts_event_ms=ts_event_ms or ts_recv_ms,
            ts_recv_ms=ts_recv_ms,
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            position=position,
            price=price / self.multiplier,
            size_coins=self.coins(price, contracts),
            notional_usd=self.usd(price, contracts),
            coverage=coverage,
            ts_source="venue" if ts_event_ms else "receive",
        )

    def mark(
        self, mark: float, index: float | None, ts_event_ms: int | None, ts_recv_ms: int
    ) -> MarkPrice:
        """Return a mark price and, where there is one, an index price, both as on the wire.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(ts_event_ms or 0, ts_recv_ms)
        return MarkPrice(
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            mark_price=mark / self.multiplier,
            index_price=index / self.multiplier if index else None,
            ts_event_ms=ts_event_ms,
            ts_recv_ms=ts_recv_ms,
        )

    def open_interest(
        self, event_id: str, coins: float, premium: Premium, ts_recv_ms: int
    ) -> OpenInterest:
        """Return the open interest that a stream tells beside a contract's premium.

        Raises:
            ValueError: It lies over 5 s in the future.
        """
        check_time(premium.ts_event_ms, ts_recv_ms)
        return OpenInterest(
            event_id=event_id,
            ts_event_ms=premium.ts_event_ms,
            ts_recv_ms=ts_recv_ms,
            exchange=self.exchange,
            symbol=self.symbol,
            coin=self.coin,
            open_interest_coins=coins,
            open_interest_usd=coins * premium.mark_price,
            mark_price=premium.mark_price,
            index_price=premium.index_price,
            funding_rate=premium.funding_rate,
            funding_interval_h=premium.funding_interval_h,
            next_funding_ms=premium.next_funding_ms,
        )

    def open_contracts(self, coins: float, ts_event_ms: int) -> OpenContracts:
        """Return the open interest that a REST host tells; one-sided."""
        return OpenContracts(
            symbol=self.symbol,
            coin=self.coin,
            open_interest_coins=finite(coins),
            ts_event_ms=ts_event_ms,
        )

    def premium(
        self,
        mark: float,
        index: float | None,
        funding_rate: float | None,
        ts_event_ms: int,
        *,
        funding_interval_h: float | None = None,
        next_funding_ms: int | None = None,
    ) -> Premium:
        """Return mark and index, both as on the wire, with funding; an index of 0 is none."""
        return Premium(
            symbol=self.symbol,
            coin=self.coin,
            mark_price=mark / self.multiplier,
            index_price=index / self.multiplier if index else None,
            funding_rate=None if funding_rate is None else finite(funding_rate),
            next_funding_ms=next_funding_ms or None,
            ts_event_ms=ts_event_ms,
            funding_interval_h=funding_interval_h or None,
        )

    def ticker(self, last: float, volume_usd: float, change_pct: float, ts_event_ms: int) -> Ticker:
        """Return the last 24 hours, with the last price as on the wire."""
        return Ticker(
            symbol=self.symbol,
            coin=self.coin,
            last_price=last / self.multiplier,
            volume_24h_usd=volume_usd,
            change_24h_pct=finite(change_pct),
            ts_event_ms=ts_event_ms,
        )


def check_time(ts_event_ms: int, ts_recv_ms: int) -> None:
    """Check that a venue's time is at most 5 s ahead of ours.

    Raises:
        ClockAhead: It is further ahead.
    """
    if ts_event_ms > ts_recv_ms + AHEAD_MS:
        raise ClockAhead(ts_event_ms, ts_event_ms - ts_recv_ms)
