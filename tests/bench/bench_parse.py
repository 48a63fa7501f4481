"""Frames of trades to events, against cryptofeed's handlers on the same frames."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from bench.harness import Goal, Row, in_turns, median, row
from bench.market import agg_trades, bybit_trades, coins, okx_trades
from bench.measuring import Reference, reference

from foreshock_exchanges import load
from foreshock_exchanges.contracts import instrument

_FRAMES: Final = 50_000
_REPEATS: Final = 7
_START_MS: Final = 1_795_000_000_000


class _Venue(msgspec.Struct, frozen=True):
    name: str
    what: str
    symbol: str
    frames: Callable[[Sequence[str], int, int], list[bytes]]

    def symbols(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.symbol.format(name) for name in names}


def _combined(names: Sequence[str], count: int, start_ms: int) -> list[bytes]:
    return agg_trades(names, count, start_ms, combined=True)


_VENUES: Final = (
    _Venue("binance", "parse a Binance aggTrade frame", "{}USDT", _combined),
    _Venue("bybit", "parse a Bybit publicTrade frame of 3.2 trades", "{}USDT", bybit_trades),
    _Venue("okx", "parse an OKX trades frame", "{}-USDT-SWAP", okx_trades),
)


async def run() -> list[Row]:
    """Compare frames per CPU second on each venue."""
    async with reference("cryptofeed") as cryptofeed:
        return [await _compared(venue, cryptofeed) for venue in _VENUES]


async def _compared(venue: _Venue, cryptofeed: Reference) -> Row:
    names = coins(80)
    frames = venue.frames(names, _FRAMES, _START_MS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames"
        file.write_bytes(b"\n".join(frames))
        symbols = venue.symbols(names)
        task = {"venue": venue.name, "frames": str(file), "symbols": symbols}

        async def ours() -> float:
            return _FRAMES / _cpu_s(venue.name, symbols, frames)

        async def theirs() -> float:
            return _FRAMES / await cryptofeed.ask(task)

        mine, others = await in_turns(_REPEATS, f"parse, {venue.name}", ours, theirs)
    return row(
        venue.what,
        median(mine),
        "frames per CPU second",
        "cryptofeed's handler",
        median(others),
        Goal(ratio_at_least=4),
    )


def _cpu_s(venue: str, symbols: dict[str, str], frames: list[bytes]) -> float:
    adapter = load(venue)
    adapter.learn(
        [
            instrument(venue, symbol, coin, _START_MS, quote="USDT", status="trading")
            for coin, symbol in symbols.items()
        ]
    )
    recv_ms = _START_MS + _FRAMES
    started = time.process_time()
    for frame in frames:
        adapter.parse(frame, recv_ms)
    return time.process_time() - started
