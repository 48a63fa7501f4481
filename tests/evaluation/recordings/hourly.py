"""Liquidations of five coins on Hyperliquid in May and June 2025, with candles and open interest.

The liquidations' `side` is S throughout and says nothing: if the price is above the last hour's
close, shorts are taken to be liquidated, else longs. Open interest is hourly and in USD; like a
poll, each minute repeats what it last was. Candles are hourly, `v` in coins.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import count
from pathlib import Path
from typing import Any, Final

from evaluation.recordings.making import (
    HOUR_MS,
    Stats,
    feed_health,
    liquidation,
    open_interest,
)
from pyarrow import parquet

from foreshock_schemas.events import Event, Kline
from foreshock_schemas.ids import content_id

EXCHANGE: Final = "hyperliquid"
LIQUIDATIONS_FROM_MS: Final = 1_748_131_200_000  # 2025-05-25 00:00 UTC
LIQUIDATIONS_UNTIL_MS: Final = 1_749_168_000_000  # 2025-06-06 00:00 UTC
LEADER: Final = "bybit"
VENUES: Final = ("binance", LEADER)
"""Those that have candles of every coin all the time; the leader's close is the price. Limits rest
on the volume of `EXCHANGE`, whose liquidations are seen: on its own candles, which end in April.
"""

_MINUTE_MS: Final = 60_000

Row = dict[str, Any]


def events(folder: Path) -> Iterator[Event]:
    """Yield candles from March on; liquidations, open interest and feed states in their days."""
    market = _Market()
    candles = _rows(folder / "candles_1h.parquet", HOUR_MS, "candle")
    interest = _rows(folder / "hyperliquid_open_interest_1h.parquet", 0, "interest")
    prints = _rows(folder / "hyperliquid_liquidation_events_2025-05.parquet", 0, "print")
    minutes = (
        (ms, "minute", {}) for ms in range(LIQUIDATIONS_FROM_MS, LIQUIDATIONS_UNTIL_MS, _MINUTE_MS)
    )
    for ms, what, row in merge(candles, interest, minutes, prints, key=lambda each: each[0]):
        if ms >= LIQUIDATIONS_UNTIL_MS:
            return
        yield from getattr(market, what)(ms, row)


class _Market:
    """What is known of the coins so far."""

    def __init__(self) -> None:
        self._closes: dict[str, float] = {}
        self._interest_usd: dict[str, float] = {}
        self._stats: dict[str, Stats] = {}
        self._number = count()

    def candle(self, ms: int, row: Row) -> Iterator[Event]:
        coin, usd = row["coin"], row["v"] * row["c"]
        if row["venue"] == LEADER:
            self._closes[coin] = row["c"]
        if row["venue"] in VENUES:
            yield _kline(ms, row, usd)
        elif row["venue"] == EXCHANGE:
            stats = self._stats.setdefault(coin, Stats(EXCHANGE, coin)).add(ms, row["c"], usd)
            if stats:
                yield stats

    def interest(self, _ms: int, row: Row) -> Iterator[Event]:
        self._interest_usd[row["coin"]] = row["oi_usd"]
        yield from ()

    def minute(self, ms: int, _row: Row) -> Iterator[Event]:
        yield feed_health(EXCHANGE, "liquidations", ms)
        for coin in sorted(self._interest_usd.keys() & self._closes):
            usd, price = self._interest_usd[coin], self._closes[coin]
            yield open_interest(EXCHANGE, coin, usd / price, price, ms)

    def print(self, ms: int, row: Row) -> Iterator[Event]:
        coin, price = row["coin"], row["price"]
        side = "short" if price > self._closes[coin] else "long"
        yield liquidation(EXCHANGE, coin, side, price, row["size_usd"], ms, str(next(self._number)))


def _kline(ms: int, row: Row, usd: float) -> Kline:
    return Kline(
        event_id=content_id(row["venue"], row["coin"], "kline", ms),
        ts_event_ms=ms,
        ts_recv_ms=ms,
        exchange=row["venue"],
        symbol=row["coin"],
        coin=row["coin"],
        interval="1h",
        start_ms=ms - HOUR_MS,
        open=row["o"],
        high=row["h"],
        low=row["l"],
        close=row["c"],
        volume_coins=row["v"],
        notional_usd=usd,
        taker_buy_usd=0.0,
        trades=0,
    )


def _rows(path: Path, known_after_ms: int, what: str) -> Iterator[tuple[int, str, Row]]:
    rows = parquet.read_table(path).to_pylist()
    timed = ((int(row["timestamp"].timestamp() * 1000) + known_after_ms, what, row) for row in rows)
    return iter(sorted(timed, key=lambda each: each[0]))
