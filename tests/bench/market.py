"""A market for benchmarks: frames, bars and liquidations of as many coins as are asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Final

import msgspec

from foreshock_schemas.events import Bar, Instrument, Liquidation, MarketStats

FRAMES_A_MS: Final = 20
NOW_MS: Final = 1_111_111_111_111
"""Stands for the time at which a frame is sent."""
_TRADES_A_FRAME: Final = Counter({1: 67, 2: 15, 3: 4, 4: 3, 5: 3, 8: 2}) + Counter(
    (7, 9, 10, 12, 13, 37, 41, 46)
)
"""How many trades Bybit's frames held on a quiet day: 327 in 102, as a sweep comes in one."""


def coins(count: int) -> list[str]:
    """Return coins, the first ones real, so that keys are of the usual length."""
    known = ["BTC", "ETH", "SOL", "XRP", "DOGE", "SUI", "WIF", "JTO", "ORDI", "DASH"]
    return (known + [f"C{number:03}" for number in range(count)])[:count]


def agg_trades(
    names: Sequence[str], count: int, start_ms: int | None, *, combined: bool = False
) -> list[bytes]:
    """Return Binance's aggTrade frames, as they come on a raw or on a combined stream.

    Each contract's numbers leave none out, so that nothing is asked for by REST. Times go on from
    `start_ms`; without it they are `NOW_MS`, for the venue to fill in.
    """
    return [
        _framed(
            {
                "e": "aggTrade",
                "E": NOW_MS if start_ms is None else start_ms + number // FRAMES_A_MS + 4,
                "a": 3_000_000_000 + number // len(names),
                "s": f"{names[number % len(names)]}USDT",
                "p": f"{83_434.4 + number % 997 / 10:.2f}",
                "q": f"{0.001 + number % 89 / 1000:.3f}",
                "nq": f"{0.001 + number % 89 / 1000:.3f}",
                "f": 5_000_000_000 + 2 * number,
                "l": 5_000_000_001 + 2 * number,
                "T": NOW_MS if start_ms is None else start_ms + number // FRAMES_A_MS,
                "m": number % 3 == 0,
                "st": 1,
            },
            combined,
        )
        for number in range(count)
    ]


def bybit_trades(names: Sequence[str], count: int, start_ms: int) -> list[bytes]:
    """Return Bybit's publicTrade frames of 3.2 trades each, most of them of one."""
    frames = []
    sizes = islice(cycle(_TRADES_A_FRAME.elements()), count)
    for number, size in enumerate(sizes):
        symbol, at_ms = f"{names[number % len(names)]}USDT", start_ms + number // FRAMES_A_MS
        rows = [_bybit_row(symbol, at_ms, number * 50 + place) for place in range(size)]
        said = {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": at_ms + 1, "data": rows}
        frames.append(msgspec.json.encode(said))
    return frames


def _bybit_row(symbol: str, at_ms: int, number: int) -> dict[str, object]:
    return {
        "T": at_ms,
        "s": symbol,
        "S": "Buy" if number % 3 else "Sell",
        "v": f"{0.001 + number % 89 / 1000:.3f}",
        "p": f"{83_434.4 + number % 997 / 10:.2f}",
        "L": "ZeroPlusTick",
        "i": f"{number:08x}-82bc-50de-be60-{number:012x}",
        "BT": False,
        "RPI": False,
        "seq": 753_843_954_913 + number,
    }


def okx_trades(names: Sequence[str], count: int, start_ms: int) -> list[bytes]:
    """Return OKX's trades frames, one row each; a fourth of the rows stands for two trades."""
    frames = []
    for number in range(count):
        symbol = f"{names[number % len(names)]}-USDT-SWAP"
        trade = {
            "instId": symbol,
            "tradeId": f"{2_978_601_964 + 2 * number}",
            "px": f"{83_434.4 + number % 997 / 10:.1f}",
            "sz": f"{1 + number % 89}",
            "side": "buy" if number % 3 else "sell",
            "ts": f"{start_ms + number // FRAMES_A_MS}",
            "count": "1" if number % 4 else "2",
            "source": "0",
            "seqId": 344_430_848_209 + number,
        }
        said = {"arg": {"channel": "trades", "instId": symbol}, "data": [trade]}
        frames.append(msgspec.json.encode(said))
    return frames


def force_orders(names: Sequence[str], count: int, usd: float) -> list[bytes]:
    """Return Binance's forceOrder frames of about `usd` each, their times for the venue to fill."""
    return [
        msgspec.json.encode(
            {
                "e": "forceOrder",
                "E": NOW_MS,
                "o": {
                    "s": f"{names[number % len(names)]}USDT",
                    "S": "SELL" if number % 2 else "BUY",
                    "o": "LIMIT",
                    "f": "IOC",
                    "q": f"{usd / 100:.3f}",
                    "p": "101.00",
                    "ap": f"{100 + number % 9_973 / 10_000:.4f}",
                    "X": "FILLED",
                    "l": "0.100",
                    "z": f"{usd / 100:.3f}",
                    "T": NOW_MS,
                    "st": 1,
                },
            }
        )
        for number in range(count)
    ]


def _framed(payload: dict[str, object], combined: bool) -> bytes:
    stream = f"{str(payload['s']).lower()}@aggTrade"
    return msgspec.json.encode({"stream": stream, "data": payload} if combined else payload)


def bars(
    names: Sequence[str], exchanges: Sequence[str], seconds: int, start_ms: int
) -> Iterator[Bar]:
    """Yield every coin's bar of every second on every exchange, in the order of time."""
    for second in range(seconds):
        at_ms = start_ms + second * 1000
        for place, coin in enumerate(names):
            for exchange in exchanges:
                price = 100.0 + (second + place) % 37 / 10
                yield Bar(
                    event_id=f"{exchange}:{coin}:bar:{at_ms // 1000}",
                    ts_event_ms=at_ms + 1000,
                    ts_recv_ms=at_ms + 2004,
                    exchange=exchange,
                    coin=coin,
                    start_ms=at_ms,
                    open=price,
                    high=price + 0.5,
                    low=price - 0.5,
                    close=price + 0.1,
                    notional_usd=1_000.0 + second % 101,
                    taker_buy_usd=480.0 + second % 53,
                    trades=12,
                    largest_cluster_usd=310.0,
                    late_notional_usd=0.0,
                    mark_price=price,
                )


def liquidations(names: Sequence[str], count: int, start_ms: int) -> Iterator[Liquidation]:
    """Yield liquidations too small to be told of, 20 a second."""
    for number in range(count):
        coin = names[number % len(names)]
        at_ms = start_ms + number * 50
        yield Liquidation(
            event_id=f"binance:{coin}USDT:forceOrder:{number:020x}",
            ts_event_ms=at_ms,
            ts_recv_ms=at_ms + 40,
            exchange="binance",
            symbol=f"{coin}USDT",
            coin=coin,
            position="long" if number % 2 else "short",
            price=100.0,
            size_coins=0.5 + number % 7,
            notional_usd=50.0 + 100 * (number % 7),
            coverage="sampled",
        )


def universe(names: Sequence[str], now_ms: int) -> Iterator[Instrument | MarketStats]:
    """Yield what lets ingesters follow these coins on Binance."""
    for coin in names:
        yield Instrument(
            event_id=f"instrument:{coin}",
            ts_event_ms=now_ms,
            ts_recv_ms=now_ms,
            exchange="binance",
            symbol=f"{coin}USDT",
            coin=coin,
            quote="USDT",
            multiplier=1.0,
            contract_size=1.0,
            tick_size=None,
            status="trading",
            funding_interval_h=8.0,
        )
        yield MarketStats(
            event_id=f"stats:{coin}",
            ts_event_ms=now_ms,
            ts_recv_ms=now_ms,
            coin=coin,
            in_universe=True,
            exchanges=("binance",),
            volume_days=0,
        )
