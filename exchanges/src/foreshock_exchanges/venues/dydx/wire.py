"""The frames and bodies of dYdX's indexer as they are on the wire.

https://docs.dydx.exchange/api_integration-indexer/indexer_websocket
https://docs.dydx.exchange/api_integration-indexer/indexer_api
"""

from typing import Literal

import msgspec

from foreshock_exchanges.wire import Amount, Instant, Positive, Share, Signed, TradeCount, decoder


class Frame(msgspec.Struct, gc=False):
    """What is around everything."""

    type: str
    channel: str = ""
    id: str = ""
    contents: msgspec.Raw = msgspec.Raw(b"null")


class Trade(msgspec.Struct, gc=False, rename="camel"):
    """A trade of `size` coins; `side` is the taker's, `type` tells what kind it is."""

    id: str
    side: Literal["BUY", "SELL"]
    size: Positive
    price: Positive
    created_at: Instant
    type: str = ""


class Trades(msgspec.Struct):
    """Trades of one market."""

    trades: list[Trade]


class Oracle(msgspec.Struct, gc=False, rename="camel"):
    """A market's oracle price."""

    oracle_price: Positive
    effective_at: Instant


class MarketsUpdate(msgspec.Struct, rename="camel"):
    """What is new of markets."""

    oracle_prices: dict[str, Oracle] = {}


class Market(msgspec.Struct, rename="camel"):
    """A market, with its oracle price, funding, open interest and last 24 hours."""

    ticker: str
    status: str
    tick_size: Amount
    initial_margin_fraction: Share
    maintenance_margin_fraction: Share
    open_interest: Amount
    oracle_price: Amount | None = None
    next_funding_rate: Signed | None = None
    price_change: Signed | None = msgspec.field(name="priceChange24H", default=None)
    volume_usd: Amount = msgspec.field(name="volume24H", default=0.0)


class Markets(msgspec.Struct):
    """All markets."""

    markets: dict[str, Market]


class Candle(msgspec.Struct, rename="camel"):
    """A candle, in coins and in USD."""

    started_at: Instant
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    base_token_volume: Amount
    usd_volume: Amount
    trades: TradeCount


class Candles(msgspec.Struct):
    """A market's candles, newest first."""

    candles: list[Candle]


read_frame = decoder(Frame)
read_trades = decoder(list[Trades])
read_updates = decoder(list[MarketsUpdate])
read_markets = decoder(Markets)
read_candles = decoder(Candles)
