"""A Binance aggTrade frame to an event, against cryptofeed's handler on the same frames."""

import tempfile
import time
from pathlib import Path
from typing import Final

from bench.harness import Goal, Row, in_turns, median, row
from bench.market import agg_trades, coins
from bench.measuring import reference

from foreshock_exchanges import load

_FRAMES: Final = 50_000
_REPEATS: Final = 7
_START_MS: Final = 1_795_000_000_000


async def run() -> list[Row]:
    """Compare frames per CPU second."""
    names = coins(80)
    frames = agg_trades(names, _FRAMES, _START_MS, combined=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames"
        file.write_bytes(b"\n".join(frames))
        task = {"frames": str(file), "symbols": [f"{name}USDT" for name in names]}
        async with reference("cryptofeed") as cryptofeed:

            async def ours() -> float:
                return _FRAMES / _cpu_s(frames)

            async def theirs() -> float:
                return _FRAMES / await cryptofeed.ask(task)

            mine, others = await in_turns(_REPEATS, "parse", ours, theirs)
    return [
        row(
            "parse an aggTrade frame",
            median(mine),
            "frames per CPU second",
            "cryptofeed's handler",
            median(others),
            Goal(ratio_at_least=4),
        )
    ]


def _cpu_s(frames: list[bytes]) -> float:
    parse = load("binance").parse
    recv_ms = _START_MS + _FRAMES
    started = time.process_time()
    for frame in frames:
        parse(frame, recv_ms)
    return time.process_time() - started
