"""What the venues of an offline run are called, and how they show things."""

from typing import Final

import msgspec


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """One venue: its symbol of a coin, its share, its delay, and how it shows liquidations.

    It shows one liquidation in `shows_every_ms` of each contract, the largest; 0: all. It is
    asked for open interest `asked_after_ms` the full minute.
    """

    name: str
    symbol: str
    share: float
    delay_ms: int
    shows_every_ms: int
    asked_after_ms: int


VENUES: Final = (
    Terms(
        name="binance",
        symbol="{}USDT",
        share=0.45,
        delay_ms=60,
        shows_every_ms=1000,
        asked_after_ms=2000,
    ),
    Terms(
        name="bybit",
        symbol="{}USDT",
        share=0.30,
        delay_ms=90,
        shows_every_ms=0,
        asked_after_ms=2600,
    ),
    Terms(
        name="okx",
        symbol="{}-USDT-SWAP",
        share=0.25,
        delay_ms=120,
        shows_every_ms=1000,
        asked_after_ms=3300,
    ),
)
