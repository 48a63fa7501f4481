"""Liquidations of thirty coins on Binance by minute and side, for two and a half hours.

A line tells how many positions of either side were liquidated in the minute before `timestamp`
(UTC), and for how many USD; there is no price, so sizes are in USD at a price of 1. Only totals
are known, and only at the minute's end, so each total becomes that many equal liquidations then.
"""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evaluation.recordings.making import feed_health, liquidation

from foreshock_schemas.events import Event, Position

EXCHANGE: Final = "binance"

_SIDES: Final[tuple[Position, ...]] = ("long", "short")


def events(folder: Path) -> Iterator[Event]:
    """Yield the liquidations of each minute at its end, in the order of the file."""
    told_ms = 0
    with gzip.open(folder / "minutes.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            now_ms = int(at.timestamp() * 1000)
            if now_ms != told_ms:
                told_ms = now_ms
                yield feed_health(EXCHANGE, "liquidations", now_ms)
            yield from _liquidations(row, now_ms)


def _liquidations(row: dict[str, str], now_ms: int) -> Iterator[Event]:
    coin = row["symbol"].removesuffix("USDT")
    for side in _SIDES:
        count, usd = int(row[f"{side}_liquidations"]), float(row[f"{side}_liquidated_usd"])
        for number in range(count):
            yield liquidation(EXCHANGE, coin, side, 1.0, usd / count, now_ms, f"{side}{number}")
