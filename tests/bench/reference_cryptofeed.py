"""cryptofeed's handler of Binance futures, on frames from a file; a task a line."""

import asyncio
import json
import sys
import time
from pathlib import Path

from cryptofeed.defines import TRADES
from cryptofeed.exchanges import BinanceFutures
from cryptofeed.symbols import Symbols


async def on_trade(trade, receipt):
    """Take a trade, and do nothing with it."""


def handler(symbols):
    names = {f"{symbol.removesuffix('USDT')}-USDT-PERP": symbol for symbol in symbols}
    kinds = dict.fromkeys(names, "perpetual")
    Symbols.set("BINANCE_FUTURES", names, {"tick_size": {}, "instrument_type": kinds})
    return BinanceFutures(symbols=list(names), channels=[TRADES], callbacks={TRADES: on_trade})


async def cpu_s(feed, frames):
    started = time.process_time()
    for frame in frames:
        await feed.message_handler(frame, None, 0.0)
    return time.process_time() - started


for line in sys.stdin:
    task = json.loads(line)
    frames = Path(task["frames"]).read_text().splitlines()
    print(asyncio.run(cpu_s(handler(task["symbols"]), frames)), flush=True)
