"""The frames and bodies of Gate's USDT futures as they are on the wire.

https://www.gate.com/docs/developers/futures/ws/en/
https://www.gate.com/docs/developers/apiv4/en/#futures
Sizes are numbers, or texts where the header `X-Gate-Size-Decimal` asks for decimals.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from foreshock_exchanges.wire import (
    Amount,
    Leverage,
    Millis,
    MillisOrNone,
    Positive,
    Rate,
    Signed,
    decoder,
)

Seconds = Annotated[float, msgspec.Meta(ge=0, lt=2**40)]
FractionalMillis = Annotated[float, msgspec.Meta(ge=1, lt=2**53)]


class Trade(msgspec.Struct, gc=False):
    """A trade; `size` counts contracts and is negative where the taker sells."""

    id: int
    contract: str
    size: Signed
    price: Positive
    create_time_ms: FractionalMillis
    is_internal: bool = False


class Liquidated(msgspec.Struct, gc=False):
    """A liquidation; `time` is in ms, unlike the envelope's."""

    contract: str
    size: Signed
    price: Positive
    time: Millis


class Ticker(msgspec.Struct, gc=False):
    """A contract's mark and index price, at `t` if told."""

    contract: str
    mark_price: Amount
    index_price: Amount = 0.0
    t: MillisOrNone = 0


class Refusal(msgspec.Struct, gc=False):
    """Why a request was not granted."""

    message: str = ""


class Envelope(msgspec.Struct, gc=False):
    """What is around everything."""

    channel: str
    event: str = ""
    time_ms: MillisOrNone = 0
    error: Refusal | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")


class ContractRow(msgspec.Struct):
    """A contract: one is `quanto_multiplier` coins. Times are in seconds."""

    name: str
    quanto_multiplier: Amount
    mark_price: Amount
    index_price: Amount
    funding_rate: str
    funding_next_apply: Seconds
    funding_interval: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]
    in_delisting: bool
    order_price_round: Amount = 0.0
    status: str = "trading"
    contract_type: str = ""


class TickerRow(msgspec.Struct):
    """A contract's last 24 hours; `total_size` is the open interest, in contracts."""

    contract: str
    last: Amount
    change_percentage: Signed
    volume_24h_quote: Amount
    total_size: Amount
    mark_price: Amount


class CandleRow(msgspec.Struct):
    """A candle from `t` (s) on; `v` in contracts, `sum` in USDT."""

    t: Annotated[int, msgspec.Meta(gt=0, lt=2**40)]
    o: Positive
    h: Positive
    l: Positive  # noqa: E741
    c: Positive
    v: Amount
    sum: Amount


class TierRow(msgspec.Struct):
    """One tier of a contract, up to `risk_limit` USDT of notional."""

    contract: str
    tier: int
    risk_limit: Amount
    maintenance_rate: Rate
    leverage_max: Leverage
    deduction: Amount = 0.0


read_envelope = decoder(Envelope)
read_trades = decoder(list[Trade])
read_liquidated: Final[Callable[[bytes | msgspec.Raw], list[Liquidated] | Liquidated]] = decoder(
    list[Liquidated] | Liquidated
)
read_tickers: Final[Callable[[bytes | msgspec.Raw], list[Ticker] | Ticker]] = decoder(
    list[Ticker] | Ticker
)
read_contracts = decoder(list[ContractRow])
read_ticker_rows = decoder(list[TickerRow])
read_candles = decoder(list[CandleRow])
read_tiers = decoder(list[TierRow])
