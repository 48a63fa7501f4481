"""The REST bodies of OKX's swaps as they are on the wire.

https://www.okx.com/docs-v5/en/#public-data-rest-api
Every number is a text, and what is missing is an empty one.
"""

from typing import Generic, Literal, TypeVar

import msgspec

from foreshock_exchanges.venues.okx.wire import TradeRow
from foreshock_exchanges.wire import Amount, Leverage, Millis, Positive, Rate, decoder

Row = TypeVar("Row")


class Answer(msgspec.Struct, Generic[Row]):
    """A list of rows; any other code (50011: too many requests) says why there is none."""

    code: Literal["0"]
    data: list[Row]


class InstrumentRow(msgspec.Struct, rename="camel"):
    """One swap; `inst_category` is 1 for coins, 3 for stocks, and missing in older answers."""

    inst_id: str
    ct_type: str
    ct_val: str
    ct_mult: str
    tick_sz: str
    state: str
    inst_category: str = ""


class TickerRow(msgspec.Struct, rename="camel"):
    """A swap's last 24 hours; `vol_ccy_24h` is in coins."""

    inst_id: str
    last: str
    open_24h: str = msgspec.field(name="open24h")
    vol_ccy_24h: str = msgspec.field(name="volCcy24h")
    ts: Millis


class MarkRow(msgspec.Struct, rename="camel"):
    """A swap's mark price."""

    inst_id: str
    mark_px: str
    ts: Millis


class FundingRow(msgspec.Struct, rename="camel"):
    """A swap's funding: the rate that is paid at `funding_time`, and the time after that."""

    inst_id: str
    funding_rate: str
    funding_time: str
    next_funding_time: str = ""


class IndexRow(msgspec.Struct, rename="camel"):
    """An index, named as the family of its swaps."""

    inst_id: str
    idx_px: str


class OpenInterestRow(msgspec.Struct, rename="camel"):
    """A swap's open interest in coins."""

    inst_id: str
    oi_ccy: str
    ts: Millis


class TierRow(msgspec.Struct, rename="camel"):
    """A tier of a family of contracts, from `min_sz` contracts on."""

    min_sz: Amount
    mmr: Rate
    max_lever: Leverage
    inst_family: str = ""
    uly: str = ""


# start, OHLC, volume in contracts, in coins and in the quote currency, whether it is finished
KlineRow = tuple[
    Millis, Positive, Positive, Positive, Positive, Amount, Amount, Amount, Literal["0", "1"]
]

read_instruments = decoder(Answer[InstrumentRow])
read_tickers = decoder(Answer[TickerRow])
read_marks = decoder(Answer[MarkRow])
read_fundings = decoder(Answer[FundingRow])
read_indices = decoder(Answer[IndexRow])
read_open_interest = decoder(Answer[OpenInterestRow])
read_tiers = decoder(Answer[TierRow])
read_klines = decoder(Answer[KlineRow])
read_trades = decoder(Answer[TradeRow])
