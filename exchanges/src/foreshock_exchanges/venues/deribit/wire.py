"""The frames and bodies of Deribit's JSON-RPC as they are on the wire.

https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval
https://docs.deribit.com/api-reference/market-data
Amounts are USD for inverse contracts and coins for linear ones; `contracts` count something else.
"""

from typing import Annotated, Literal

import msgspec

from foreshock_exchanges.wire import Amount, Millis, Positive, Signed, decoder

Sequence = Annotated[int, msgspec.Meta(gt=0, lt=2**53)]


class Trade(msgspec.Struct, gc=False):
    """A trade; `direction` is the taker's.

    `liquidation` tells whether the maker (M), the taker (T) or both were liquidated.
    """

    timestamp: Millis
    price: Positive
    amount: Positive
    direction: Literal["buy", "sell"]
    instrument_name: str
    trade_seq: Sequence
    liquidation: Literal["", "M", "T", "MT"] = ""


class Ticker(msgspec.Struct, gc=False):
    """An instrument's mark and index price."""

    timestamp: Millis
    instrument_name: str
    mark_price: Amount
    index_price: Amount = 0.0


class Params(msgspec.Struct, gc=False):
    """A notification's channel and what came on it."""

    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Version(msgspec.Struct, gc=False):
    """The answer to `public/test`."""

    version: str


class Refusal(msgspec.Struct, gc=False):
    """Why a request was not granted."""

    code: int


class Envelope(msgspec.Struct, gc=False):
    """A notification, or the answer to a request: the channels subscribed to, or a version."""

    method: str = ""
    params: Params = msgspec.field(default_factory=Params)
    result: list[str] | Version | msgspec.UnsetType = msgspec.UNSET
    error: Refusal | None = None


class InstrumentRow(msgspec.Struct):
    """A contract."""

    instrument_name: str
    base_currency: str
    quote_currency: str
    settlement_period: str
    is_active: bool
    tick_size: Amount = 0.0
    state: str = "open"
    underlying_type: str = "crypto"


class SummaryRow(msgspec.Struct):
    """A contract's last 24 hours, mark, index, funding and open interest.

    The index of a perpetual is its `estimated_delivery_price`.
    """

    instrument_name: str
    creation_timestamp: Millis
    mark_price: Amount | None = None
    estimated_delivery_price: Amount | None = None
    funding_8h: Signed | None = None
    open_interest: Amount = 0.0
    last: Amount | None = None
    volume_usd: Amount | None = None
    price_change: Signed | None = None


class Trades(msgspec.Struct):
    """Trades, and whether there are more."""

    trades: list[Trade]


class Chart(msgspec.Struct):
    """Candles, a list for each figure; `volume` is in coins, `cost` in the quote currency."""

    ticks: list[Millis]
    open: list[Positive]
    high: list[Positive]
    low: list[Positive]
    close: list[Positive]
    volume: list[Amount]
    cost: list[Amount]


class InstrumentsBody(msgspec.Struct):
    """All contracts."""

    result: list[InstrumentRow]


class SummariesBody(msgspec.Struct):
    """The contracts of one currency."""

    result: list[SummaryRow]


class TradesBody(msgspec.Struct):
    """A contract's trades."""

    result: Trades


class ChartBody(msgspec.Struct):
    """A contract's candles."""

    result: Chart


read_envelope = decoder(Envelope)
read_trades = decoder(list[Trade])
read_ticker = decoder(Ticker)
read_instruments = decoder(InstrumentsBody)
read_summaries = decoder(SummariesBody)
read_chart = decoder(ChartBody)
read_trades_body = decoder(TradesBody)
