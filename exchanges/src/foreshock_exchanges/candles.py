"""Candles: what a venue's row says, and from when on the newest ones are."""

from collections.abc import Sequence
from typing import Any, Final

from foreshock_exchanges.contract import Contract
from foreshock_schemas.events import Kline
from foreshock_schemas.ids import venue_id

_SPANS_MS: Final = {"15m": 900_000, "1h": 3_600_000}


def candle(
    contract: Contract,
    interval: Any,
    start_ms: int,
    prices: Sequence[float],
    volume_coins: float,
    notional_usd: float,
    ts_recv_ms: int,
    *,
    taker_buy_usd: float = 0.0,
    trades: int = 0,
) -> Kline:
    """Return a candle; `prices` are open, high, low and close as on the wire.

    How much of it takers bought, and in how many trades, is 0 where the venue does not tell.

    Raises:
        ValueError: The interval is neither `15m` nor `1h`.
    """
    if interval not in _SPANS_MS:
        raise ValueError(f"no candles of {interval}")
    opened, high, low, close = (price / contract.multiplier for price in prices)
    return Kline(
        event_id=venue_id(contract.exchange, contract.symbol, f"kline_{interval}", start_ms),
        ts_event_ms=start_ms + _SPANS_MS[interval],
        ts_recv_ms=ts_recv_ms,
        exchange=contract.exchange,
        symbol=contract.symbol,
        coin=contract.coin,
        interval=interval,
        start_ms=start_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume_coins=volume_coins,
        notional_usd=notional_usd,
        taker_buy_usd=taker_buy_usd,
        trades=trades,
    )


def start_of(interval: str, limit: int, now_ms: int) -> int:
    """Return when the first of the `limit` newest candles began, the unfinished one counted."""
    span_ms = _SPANS_MS[interval]
    return now_ms - now_ms % span_ms - (limit - 1) * span_ms
