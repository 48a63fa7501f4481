"""The frames and bodies of Kraken Futures as they are on the wire.

https://docs.kraken.com/exchange/api-reference/futures-websocket/trade
https://docs.kraken.com/api-reference/instrument-details/get-instruments
"""

from typing import Literal

import msgspec

from foreshock_exchanges.wire import (
    Amount,
    Instant,
    Millis,
    MillisOrNone,
    Positive,
    Share,
    Signed,
    decoder,
)


class Head(msgspec.Struct, gc=False):
    """What a frame is: an answer to our words, or of a feed."""

    event: str = ""
    feed: str = ""


class Trade(msgspec.Struct, gc=False):
    """A trade of `qty` contracts; `side` is the taker's."""

    product_id: str
    uid: str
    side: Literal["sell", "buy"]
    type: str
    time: Millis
    qty: Positive
    price: Positive


class Ticker(msgspec.Struct, gc=False):
    """A product's mark, index, funding (a share an hour) and open interest (contracts)."""

    product_id: str
    time: Millis
    mark: Amount = msgspec.field(name="markPrice")
    open_contracts: Amount = msgspec.field(name="openInterest")
    index: Amount | None = None
    relative_funding_rate: Signed | None = None
    next_funding_rate_time: MillisOrNone | None = None


class Level(msgspec.Struct, rename="camel"):
    """A tier of margins, from so many contracts, or so many USD, on."""

    initial_margin: Share
    maintenance_margin: Share
    contracts: Amount | None = None
    num_non_contract_units: Amount | None = None


class Product(msgspec.Struct, rename="camel"):
    """A product; `tradfi` is missing in older answers."""

    symbol: str
    tradeable: bool
    contract_size: Positive = 1.0
    tick_size: Amount | None = None
    tradfi: bool = False
    margin_levels: list[Level] = []


class Products(msgspec.Struct):
    """All products."""

    instruments: list[Product]


class TickerRow(msgspec.Struct, rename="camel"):
    """A product's last 24 hours, mark, index, funding and open interest."""

    symbol: str
    last: Amount | None = None
    mark_price: Amount | None = None
    index_price: Amount | None = None
    vol24h: Amount | None = None
    change24h: Signed | None = None
    open_interest: Amount | None = None
    funding_rate: Signed | None = None


class Tickers(msgspec.Struct, rename="camel"):
    """The figures of all products."""

    server_time: Instant
    tickers: list[TickerRow]


read_head = decoder(Head)
read_trade = decoder(Trade)
read_ticker = decoder(Ticker)
read_products = decoder(Products)
read_tickers = decoder(Tickers)
