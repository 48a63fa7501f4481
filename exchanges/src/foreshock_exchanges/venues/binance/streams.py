"""What Binance's market streams are called, and how they are asked for."""

import json
from collections.abc import Sequence
from typing import Final

from foreshock_exchanges.base import Channel
from foreshock_exchanges.venue import pages

MARKS: Final = "!markPrice@arr@1s"
"""The mark prices of all contracts, every second."""

_LIQUIDATIONS: Final = "!forceOrder@arr"
_STREAMS_A_MESSAGE: Final = 100


def of(channel: Channel, symbols: Sequence[str]) -> list[str]:
    """Return the streams that carry a channel for these symbols."""
    if channel is Channel.LIQUIDATIONS:
        return [_LIQUIDATIONS] if symbols else []
    return [f"{symbol.lower()}@aggTrade" for symbol in symbols]


def subscriptions(names: Sequence[str]) -> list[str]:
    """Return the messages that ask for these streams."""
    return [
        json.dumps({"method": "SUBSCRIBE", "params": list(page), "id": number})
        for number, page in enumerate(pages(names, _STREAMS_A_MESSAGE), 1)
    ]
