"""The frames and bodies of Bitget's API v3 as they are on the wire; numbers are quoted.

https://www.bitget.com/api-doc/uta/websocket/public/Liquidation-Channel
https://www.bitget.com/api-doc/uta/public/Instruments
"""

from typing import Literal

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


class Arg(msgspec.Struct, gc=False):
    """What a frame belongs to. `channel` is how the APIs before v3 called the topic."""

    instType: str = ""  # noqa: N815
    topic: str = ""
    symbol: str = ""
    channel: str = ""


class Envelope(msgspec.Struct, gc=False):
    """What is around everything."""

    event: str = ""
    action: str = ""
    arg: Arg = msgspec.field(default_factory=Arg)
    data: msgspec.Raw = msgspec.Raw(b"null")
    ts: MillisOrNone = 0


class Trade(msgspec.Struct, gc=False):
    """A trade of `v` coins; `S` is the taker's side."""

    i: str
    p: Positive
    v: Positive
    S: Literal["buy", "sell"]
    T: Millis


class Liquidated(msgspec.Struct, gc=False):
    """A liquidation of `amount` USDT; `side` is the side of the position."""

    symbol: str
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    ts: Millis


class Mark(msgspec.Struct, gc=False, rename="camel"):
    """A contract's mark and index price, of its ticker."""

    mark_price: Amount
    index_price: Amount = 0.0


class InstrumentRow(msgspec.Struct, rename="camel"):
    """A contract; what it does not have is empty."""

    symbol: str
    base_coin: str
    quote_coin: str
    status: str
    type: str
    fund_interval: str | None = None
    price_multiplier: str | None = None
    is_rwa: str = "NO"


class TickerRow(msgspec.Struct, rename="camel"):
    """A contract's last 24 hours, mark, index, funding and open interest (coins).

    The change is a share of the price; the funding rate may be empty.
    """

    symbol: str
    ts: Millis
    last_price: Amount
    price_24h_pcnt: Signed = msgspec.field(name="price24hPcnt")
    turnover_24h: Amount = msgspec.field(name="turnover24h")
    mark_price: Amount = 0.0
    index_price: Amount = 0.0
    funding_rate: str = ""
    open_interest: Amount = 0.0


class TierRow(msgspec.Struct, rename="camel"):
    """One tier of a contract, from `start_unit` USDT of notional on; of API v2."""

    symbol: str
    level: int
    start_unit: Amount
    leverage: Leverage
    keep_margin_rate: Rate


# start, OHLC, volume in coins, turnover in USDT
CandleRow = tuple[Millis, Positive, Positive, Positive, Positive, Amount, Amount]

_Granted = Literal["00000"]


class Instruments(msgspec.Struct):
    """All contracts."""

    code: _Granted
    data: list[InstrumentRow]


class Tickers(msgspec.Struct):
    """The tickers of all contracts."""

    code: _Granted
    data: list[TickerRow]


class Candles(msgspec.Struct):
    """A contract's candles."""

    code: _Granted
    data: list[CandleRow]


class Tiers(msgspec.Struct):
    """A contract's tiers."""

    code: _Granted
    data: list[TierRow]


read_envelope = decoder(Envelope)
read_trades = decoder(list[Trade])
read_liquidated = decoder(list[Liquidated])
read_marks = decoder(list[Mark])
read_instruments = decoder(Instruments)
read_tickers = decoder(Tickers)
read_candles = decoder(Candles)
read_tiers = decoder(Tiers)
