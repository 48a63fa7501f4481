"""BitMEX's candles, as `/trade/bucketed` has them: stamped with their end, newest first.

https://www.bitmex.com/api/explorer/#!/Trade/Trade_getBucketed
There are none of 15 minutes, and none tells what takers bought: 0 stands there.
"""

from typing import Final

import msgspec

from foreshock_exchanges.contracts import Contract
from foreshock_exchanges.rest import Request
from foreshock_exchanges.wire import Amount, Instant, Positive, decoder, millis
from foreshock_schemas.events import Kline
from foreshock_schemas.ids import venue_id

HOURLY: Final = "1h"

_HOUR_MS: Final = 3_600_000
_MOST: Final = 1000


class _Candle(msgspec.Struct, rename="camel"):
    timestamp: Instant
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    trades: int
    home_notional: Amount
    foreign_notional: Amount


_read = decoder(list[_Candle])


def hourly(symbol: str, limit: int) -> Request:
    """Ask for the newest finished candles of an hour; 1,000 at most."""
    params = (
        ("symbol", symbol),
        ("binSize", HOURLY),
        ("count", str(min(_MOST, limit))),
        ("reverse", "true"),
    )
    return Request(path="/api/v1/trade/bucketed", params=params)


def read_hourly(body: bytes, known: Contract, recv_ms: int) -> list[Kline]:
    """Return the candles, oldest first."""
    return [_kline(row, known, millis(row.timestamp), recv_ms) for row in reversed(_read(body))]


def _kline(row: _Candle, known: Contract, end_ms: int, recv_ms: int) -> Kline:
    return Kline(
        event_id=venue_id("bitmex", known.symbol, "kline_1h", end_ms - _HOUR_MS),
        ts_event_ms=end_ms,
        ts_recv_ms=recv_ms,
        exchange="bitmex",
        symbol=known.symbol,
        coin=known.coin,
        interval="1h",
        start_ms=end_ms - _HOUR_MS,
        open=row.open / known.multiplier,
        high=row.high / known.multiplier,
        low=row.low / known.multiplier,
        close=row.close / known.multiplier,
        volume_coins=row.home_notional * known.multiplier,
        notional_usd=row.foreign_notional,
        taker_buy_usd=0.0,
        trades=row.trades,
    )
