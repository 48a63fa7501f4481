"""What Bybit's topics are called, and how they are asked for.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from foreshock_exchanges.base import Channel
from foreshock_exchanges.venue import FOR_LIFE, pages

PING: Final = '{"op":"ping"}'

_TOPICS: Final = {Channel.LIQUIDATIONS: "allLiquidation", Channel.TRADES: "publicTrade"}
_LETTERS_A_SOCKET: Final = 10_000
"""Of the 21,000 that a connection may ask for in all: a refused request is repeated in parts."""
_TOPICS_A_MESSAGE: Final = 100


def of(channel: Channel, symbols: Sequence[str]) -> Iterator[list[str]]:
    """Yield each socket's topics: the channel's, and tickers.

    There is no topic for all contracts. Trades are followed with every contract's mark price,
    liquidations with as many as prove life.
    """
    tickers = len(symbols) if channel is Channel.TRADES else FOR_LIFE
    letters, page = 0, list[str]()
    for symbol in symbols:
        asked = _letters(channel, symbol)
        if letters + asked > _LETTERS_A_SOCKET:
            yield _topics(channel, page, tickers)
            letters, page = 0, []
        letters += asked
        page.append(symbol)
    if page:
        yield _topics(channel, page, tickers)


def requests(topics: Sequence[str], most: int = _TOPICS_A_MESSAGE) -> tuple[str, ...]:
    """Return the messages that ask for these topics, at most so many in one.

    One topic that Bybit does not know makes it refuse the whole message.
    """
    return tuple(
        json.dumps({"op": "subscribe", "args": list(page)}, separators=(",", ":"))
        for page in pages(topics, most)
    )


def _topics(channel: Channel, symbols: Sequence[str], tickers: int) -> list[str]:
    followed = [f"{_TOPICS[channel]}.{symbol}" for symbol in symbols]
    return followed + [f"tickers.{symbol}" for symbol in symbols[:tickers]]


def _letters(channel: Channel, symbol: str) -> int:
    return sum(len(json.dumps(topic)) + 1 for topic in _topics(channel, [symbol], 1))
