"""Hyperliquid's trades and, once a minute, open interest, of three coins over four days.

A line of `trades_*` is `ts` (ms), `px`, `sz` (coins) and `side`: B if the taker bought, A if the
taker sold. A line of `ctx_*` is `ts`, `oi` (coins), `mark`, and funding. A trade that lies behind
newer ones came late, and is late for the bars as well.
"""

import gzip
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Final, Literal

import msgspec
from evaluation.recordings.making import Stats, feed_health, open_interest

from foreshock_exchanges.base import MarkPrice
from foreshock_schemas.events import Event, Trade
from ingest_trades.domain.bars import Bars

EXCHANGE: Final = "hyperliquid"
COINS: Final = ("DOGE", "ETH", "SOL")

_HEALTH_MS: Final = 60_000


class _Trade(msgspec.Struct, gc=False):
    ts: int
    px: float
    sz: float
    side: Literal["A", "B"]


class _Context(msgspec.Struct, gc=False):
    ts: int
    oi: float
    mark: float


_trade = msgspec.json.Decoder(_Trade)
_context = msgspec.json.Decoder(_Context)

Row = tuple[int, str, _Trade | _Context]


def events(folder: Path) -> Iterator[Event]:
    """Yield bars as their seconds close, open interest, and statistics each hour."""
    bars = Bars(EXCHANGE)
    stats = {coin: Stats(EXCHANGE, coin) for coin in COINS}
    told_ms = 0
    for now_ms, coin, row in merge(*_sources(folder), key=lambda row: row[0]):
        if now_ms >= told_ms + _HEALTH_MS:
            told_ms = now_ms
            yield feed_health(EXCHANGE, "trades", now_ms)
            yield feed_health(EXCHANGE, "open-interest", now_ms)
        if isinstance(row, _Context):
            bars.on_mark(mark_of(coin, row, now_ms))
            yield open_interest(EXCHANGE, coin, row.oi, row.mark, row.ts, now_ms - row.ts)
        else:
            bars.on_trade(trade_of(coin, row, now_ms))
        yield from _closed(bars, stats, now_ms)


def trade_of(coin: str, row: _Trade, recv_ms: int) -> Trade:
    """Return the trade of a line."""
    return Trade(
        event_id="",
        ts_event_ms=row.ts,
        ts_recv_ms=recv_ms,
        exchange=EXCHANGE,
        symbol=coin,
        coin=coin,
        aggressor="buy" if row.side == "B" else "sell",
        price=row.px,
        size_coins=row.sz,
        notional_usd=row.px * row.sz,
    )


def mark_of(coin: str, row: _Context, recv_ms: int) -> MarkPrice:
    """Return the mark price of a line."""
    return MarkPrice(
        exchange=EXCHANGE,
        symbol=coin,
        coin=coin,
        mark_price=row.mark,
        index_price=None,
        ts_event_ms=row.ts,
        ts_recv_ms=recv_ms,
    )


def _closed(bars: Bars, stats: dict[str, Stats], now_ms: int) -> Iterator[Event]:
    for bar in bars.close(now_ms):
        yield bar
        price = bar.close or bar.mark_price
        if price and (known := stats[bar.coin].add(now_ms, price, bar.notional_usd)):
            yield known


def _sources(folder: Path) -> Iterator[Iterator[Row]]:
    for coin in COINS:
        yield _rows(folder, f"trades_{coin}_*.jsonl.gz", coin, _trade)
        yield _rows(folder, f"ctx_{coin}_*.jsonl.gz", coin, _context)


def _rows(
    folder: Path, pattern: str, coin: str, decoder: "msgspec.json.Decoder[_Trade | _Context]"
) -> Iterator[Row]:
    now_ms = 0
    for path in sorted(folder.glob(pattern)):
        with gzip.open(path) as file:
            for line in file:
                row = decoder.decode(line)
                now_ms = max(now_ms, row.ts)
                yield now_ms, coin, row
