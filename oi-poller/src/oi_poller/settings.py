"""What oi-poller can be told."""

from typing import Annotated, Literal

import msgspec

from foreshock_exchanges import NAMES
from foreshock_kit.settings import VenueSettings

_Source = Literal["binance", "coinpaprika", "coingecko", "bundled"]


class Settings(VenueSettings, frozen=True, kw_only=True):
    """For example `COINS=BTC,ETH`, or `COINS_TOP=60` for the 60 most traded.

    `market_cap_sources` are asked in this order, and the first that knows a coin is believed.
    """

    coins: tuple[str, ...] = ()
    coins_top: Annotated[int, msgspec.Meta(ge=1, le=500)] = 60
    oi_poll_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 60
    market_cap_sources: tuple[_Source, ...] = ("binance", "coinpaprika", "coingecko", "bundled")
    coinpaprika_url: str = "https://api.coinpaprika.com"
    coingecko_url: str = "https://api.coingecko.com"

    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)
