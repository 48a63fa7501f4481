"""Binance's open interest of seven coins, every five minutes over three months.

A line is `t` (ms), `oi` (coins) and `oi_usd`; their ratio is taken for the mark price. A reading is
taken to be received half a minute after `t`. The tier of each coin is known beforehand.
"""

import csv
import gzip
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Final

from evaluation.recordings.making import HOUR_MS, feed_health, open_interest, size

from foreshock_schemas.events import Event, OpenInterest

EXCHANGE: Final = "binance"
LAG_MS: Final = 30_000

_SUFFIX: Final = "_oi_5m.csv.gz"


def events(folder: Path) -> Iterator[Event]:
    """Yield the readings of all coins, and each hour that their feed is live."""
    told_ms = 0
    readings = [_readings(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
    sized: set[str] = set()
    for reading in merge(*readings, key=lambda event: event.ts_recv_ms):
        if reading.coin not in sized:
            sized.add(reading.coin)
            yield size(EXCHANGE, reading.coin, reading.ts_recv_ms)
        if reading.ts_recv_ms >= told_ms + HOUR_MS:
            told_ms = reading.ts_recv_ms
            yield feed_health(EXCHANGE, "open-interest", told_ms)
        yield reading


def _readings(path: Path) -> Iterator[OpenInterest]:
    coin = path.name.removesuffix(_SUFFIX)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            coins, usd = float(row["oi"]), float(row["oi_usd"])
            yield open_interest(EXCHANGE, coin, coins, usd / coins, int(row["t"]), LAG_MS)
