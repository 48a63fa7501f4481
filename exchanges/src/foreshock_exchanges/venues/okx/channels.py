"""What OKX's channels are called, and how they are asked for.

https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from foreshock_exchanges.base import Channel
from foreshock_exchanges.venue import pages

_LIQUIDATIONS: Final = {"channel": "liquidation-orders", "instType": "SWAP"}
"""Of every swap in one; it says whenever there is one, so marks must prove its life."""
_CONTRACTS_A_SOCKET: Final = 100
_ARGS_A_MESSAGE: Final = 100
"""A request may have 64 kB; with ids of 32 letters this is a tenth of it."""


def of(channel: Channel, symbols: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield what is said on each socket; mark prices are followed beside the channel."""
    if channel is Channel.LIQUIDATIONS:
        yield _requests([_LIQUIDATIONS, *_args("mark-price", symbols)])
        return
    for page in pages(symbols, _CONTRACTS_A_SOCKET):
        yield _requests([*_args("trades", page), *_args("mark-price", page)])


def _args(channel: str, symbols: Sequence[str]) -> list[dict[str, str]]:
    return [{"channel": channel, "instId": symbol} for symbol in symbols]


def _requests(args: Sequence[dict[str, str]]) -> tuple[str, ...]:
    return tuple(
        json.dumps({"op": "subscribe", "args": page}) for page in pages(args, _ARGS_A_MESSAGE)
    )
