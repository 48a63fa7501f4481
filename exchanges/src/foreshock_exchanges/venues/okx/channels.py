"""What OKX's channels are called, and how they are asked for.

https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from foreshock_exchanges.base import Channel
from foreshock_exchanges.venue import FOR_LIFE, pages

Arg = dict[str, str]

_LIQUIDATIONS: Final = {"channel": "liquidation-orders", "instType": "SWAP"}
"""Of every swap in one; it says whenever there is one, so marks must prove its life."""
_CONTRACTS_A_SOCKET: Final = 150
"""An address may open three sockets a second."""
_ARGS_A_MESSAGE: Final = 100
"""A request may have 64 kB; with ids of 32 letters this is a tenth of it."""


def of(channel: Channel, symbols: Sequence[str]) -> Iterator[list[Arg]]:
    """Yield each socket's channels; mark prices are followed beside the channel."""
    of_all = channel is Channel.LIQUIDATIONS
    for page in pages(symbols[:FOR_LIFE] if of_all else symbols, _CONTRACTS_A_SOCKET):
        yield [*([_LIQUIDATIONS] if of_all else _args("trades", page)), *_args("mark-price", page)]


def requests(args: Sequence[Arg], most: int = _ARGS_A_MESSAGE) -> tuple[str, ...]:
    """Return the messages that ask for these channels, at most so many in one.

    A socket may send 480 at once, whatever they ask for.
    """
    return tuple(json.dumps({"op": "subscribe", "args": page}) for page in pages(args, most))


def _args(channel: str, symbols: Sequence[str]) -> list[Arg]:
    return [{"channel": channel, "instId": symbol} for symbol in symbols]
