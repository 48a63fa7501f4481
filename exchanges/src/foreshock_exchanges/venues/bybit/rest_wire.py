"""The REST bodies of Bybit's linear contracts as they are on the wire.

https://bybit-exchange.github.io/docs/v5/market/instrument
Numbers that a contract before its listing does not have are empty texts.
"""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from foreshock_exchanges.wire import Amount, Leverage, Millis, Positive, decoder

Row = TypeVar("Row")


class Page(msgspec.Struct, Generic[Row], rename="camel"):
    """A list, and where it goes on."""

    list: list[Row]
    next_page_cursor: str | None = None


class Answer(msgspec.Struct, Generic[Row], rename="camel"):
    """A list with the venue's time; any other `retCode` says why there is none."""

    ret_code: Literal[0]
    result: Page[Row]
    time: Millis


class PriceFilter(msgspec.Struct, rename="camel"):
    """A contract's rules for prices."""

    tick_size: Amount


class InstrumentRow(msgspec.Struct, rename="camel"):
    """One contract; `funding_interval` is in minutes."""

    symbol: str
    contract_type: str
    status: str
    base_coin: str
    quote_coin: str
    price_filter: PriceFilter
    funding_interval: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    symbol_type: str = ""


class TickerRow(msgspec.Struct, rename="camel"):
    """A contract's last 24 hours, its mark, index, funding and open interest."""

    symbol: str
    last_price: str = ""
    mark_price: str = ""
    index_price: str = ""
    price_24h_pcnt: str = msgspec.field(name="price24hPcnt", default="")
    turnover_24h: str = msgspec.field(name="turnover24h", default="")
    open_interest: str = ""
    single_open_interest: str = ""
    funding_rate: str = ""
    funding_interval_hour: str = ""
    next_funding_time: str = ""


class TierRow(msgspec.Struct, rename="camel"):
    """A tier of a contract: up to `risk_limit_value` USDT of notional."""

    symbol: str
    risk_limit_value: Positive
    maintenance_margin: Positive
    initial_margin: Positive
    max_leverage: Leverage


# start, OHLC, volume in coins, turnover in USDT
KlineRow = tuple[Millis, Positive, Positive, Positive, Positive, Amount, Amount]

read_instruments = decoder(Answer[InstrumentRow])
read_tickers = decoder(Answer[TickerRow])
read_tiers = decoder(Answer[TierRow])
read_klines = decoder(Answer[KlineRow])
read_page = decoder(Answer[msgspec.Raw])
