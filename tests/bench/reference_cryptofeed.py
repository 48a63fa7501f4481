"""cryptofeed's handlers of three venues, on frames from a file; a task a line."""

import asyncio
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from cryptofeed.defines import TRADES
from cryptofeed.exchanges import OKX, BinanceFutures, Bybit
from cryptofeed.symbols import Symbols

VENUES = {"binance": BinanceFutures, "bybit": Bybit, "okx": OKX}
LINEAR = SimpleNamespace(address="wss://stream.bybit.com/v5/public/linear")
"""Stands for the connection, whose address tells Bybit's handler which market it reads."""


async def on_trade(trade, receipt):
    """Take a trade, and do nothing with it."""


def handler(venue, symbols):
    feed = VENUES[venue]
    names = {f"{coin}-USDT-PERP": symbol for coin, symbol in symbols.items()}
    kinds = dict.fromkeys(names, "perpetual")
    Symbols.set(feed.id, names, {"tick_size": {}, "instrument_type": kinds})
    return feed(symbols=list(names), channels=[TRADES], callbacks={TRADES: on_trade})


async def cpu_s(feed, frames):
    started = time.process_time()
    for frame in frames:
        await feed.message_handler(frame, LINEAR, 0.0)
    return time.process_time() - started


for line in sys.stdin:
    task = json.loads(line)
    frames = Path(task["frames"]).read_text().splitlines()
    feed = handler(task["venue"], task["symbols"])
    print(asyncio.run(cpu_s(feed, frames)), flush=True)
