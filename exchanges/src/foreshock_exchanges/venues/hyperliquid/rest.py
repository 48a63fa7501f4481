"""Hyperliquid: keyless REST calls, all of them a POST to `/info`, and what their bodies say.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals
There are no candles: those of `candleSnapshot` tell coins and a number of trades, and no money.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Budget, OpenContracts, Premium, Request, Ticker
from foreshock_exchanges.tiers import margin_tiers
from foreshock_exchanges.venue import VenueRest, reader
from foreshock_exchanges.venues.hyperliquid import wire
from foreshock_exchanges.venues.hyperliquid.names import base_of, contract_by_name
from foreshock_schemas.events import Instrument, MarginTier

FUNDING_H: Final = 1.0


class HyperliquidRest(VenueRest):
    """Requests, and readers of their bodies; only Hyperliquid's own perpetuals are kept."""

    name: ClassVar[str] = "hyperliquid"
    budget: ClassVar[Budget] = Budget(weight=1200, window_s=60.0)

    def instruments(self) -> Request:
        """All contracts, and the margin tables that they refer to."""
        return _info("meta")

    @reader
    def read_instruments(self, body: bytes, recv_ms: int) -> list[Instrument]:
        """Return the perpetuals; what is delisted is closed."""
        meta = wire.read_meta(body)
        tables = dict(meta.margin_tables)
        return [
            instrument(
                self.name,
                row.name,
                base_of(row.name),
                recv_ms,
                quote="USD",
                status="closed" if row.is_delisted else "trading",
                funding_interval_h=FUNDING_H,
                tiers=_tiers(row, tables.get(row.margin_table_id or 0)),
            )
            for row in meta.universe
            if contract_by_name(row.name) is not None
        ]

    def tickers(self) -> Request:
        """The figures of all contracts."""
        return _info("metaAndAssetCtxs")

    @reader
    def read_tickers(self, body: bytes, recv_ms: int) -> list[Ticker]:
        """Return the tickers; there is no last price, so that the mark price stands for it."""
        return [
            known.ticker(
                mark,
                row.day_ntl_vlm,
                100 * (mark / day_ago - 1) if (day_ago := row.prev_day_px) else 0.0,
                recv_ms,
            )
            for known, row in self._rows(body)
            if (mark := row.mark_px)
        ]

    def premiums(self, symbols: Sequence[str]) -> list[Request]:
        """The figures of all contracts."""
        return [_info("metaAndAssetCtxs")]

    @reader
    def read_premiums(self, bodies: Sequence[bytes], recv_ms: int) -> list[Premium]:
        """Return them for contracts that have a mark price; funding is hourly."""
        return [
            premium_of(known, row, mark, recv_ms)
            for body in bodies
            for known, row in self._rows(body)
            if (mark := row.mark_px)
        ]

    def open_interest(self, symbols: Sequence[str]) -> list[Request]:
        """The figures of all contracts."""
        return [_info("metaAndAssetCtxs")]

    @reader
    def read_open_interest(self, body: bytes, recv_ms: int) -> list[OpenContracts]:
        """Return the open interest of all contracts, one-sided."""
        return [
            known.open_contracts(row.open_interest * known.multiplier, recv_ms)
            for known, row in self._rows(body)
        ]

    def _rows(self, body: bytes) -> Iterator[tuple[Contract, wire.Context]]:
        meta, contexts = wire.read_contexts(body)
        both = zip(meta.universe, contexts, strict=True)
        for known, (_, row) in self.known(both, lambda pair: pair[0].name):
            yield known, row


def premium_of(known: Contract, row: wire.Context, mark: float, recv_ms: int) -> Premium:
    """Return a contract's mark, as on the wire, with its oracle price and hourly funding."""
    return known.premium(mark, row.oracle_px, row.funding, recv_ms, funding_interval_h=FUNDING_H)


def _info(kind: str) -> Request:
    return Request(path="/info", json=f'{{"type":"{kind}"}}', weight=20)


def _tiers(row: wire.Asset, table: wire.Table | None) -> tuple[MarginTier, ...]:
    # https://hyperliquid.gitbook.io/hyperliquid-docs/trading/margining: half the initial margin
    levels = table.margin_tiers if table else [wire.Level(0.0, row.max_leverage)]
    return margin_tiers(
        (level.lower_bound, 0.5 / level.max_leverage, level.max_leverage) for level in levels
    )
