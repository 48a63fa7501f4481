"""Candles as most REST hosts tell them: prices and volumes, and no more."""

from typing import Any, Final

import msgspec

from foreshock_exchanges.contracts import Contract
from foreshock_schemas.events import Kline
from foreshock_schemas.ids import venue_id

_SPANS_MS: Final = {"15m": 900_000, "1h": 3_600_000}


class Prices(msgspec.Struct, frozen=True, gc=False):
    """A candle's four prices, as on the wire."""

    open: float
    high: float
    low: float
    close: float


def candle(
    contract: Contract,
    interval: Any,
    start_ms: int,
    prices: Prices,
    contracts: float,
    notional_usd: float,
    recv_ms: int,
) -> Kline:
    """Return a candle in which `contracts` were traded.

    How much of it takers bought, and in how many trades, these hosts do not tell: both are 0.

    Raises:
        ValueError: The interval is neither `15m` nor `1h`.
    """
    if interval not in _SPANS_MS:
        raise ValueError(f"no candles of {interval}")
    multiplier = contract.multiplier
    return Kline(
        event_id=venue_id(contract.exchange, contract.symbol, f"kline_{interval}", start_ms),
        ts_event_ms=start_ms + _SPANS_MS[interval],
        ts_recv_ms=recv_ms,
        exchange=contract.exchange,
        symbol=contract.symbol,
        coin=contract.coin,
        interval=interval,
        start_ms=start_ms,
        open=prices.open / multiplier,
        high=prices.high / multiplier,
        low=prices.low / multiplier,
        close=prices.close / multiplier,
        volume_coins=contract.coins(prices.close, contracts),
        notional_usd=notional_usd,
        taker_buy_usd=0.0,
        trades=0,
    )
