"""What oi-poller can be told."""

from typing import Annotated, Final, Literal

import msgspec

from foreshock_exchanges import NAMES
from foreshock_kit.settings import VenueSettings

_MINUTE_S: Final = 60
_MOST: Final = 400
_MOST_OFTENER: Final = 175
"""What our share of Binance's weight carries, 533 a minute: tickers 40, premiums 10 and 1 a coin,
twice if asked more than once a minute; contracts 2, histories under way 20. 61 are left, with
which 400 coins' month of history takes half an hour, and their hourly candles seven minutes.
"""

_Source = Literal["binance", "coinpaprika", "coingecko", "bundled"]


class Settings(VenueSettings, frozen=True, kw_only=True):
    """For example `COINS=BTC,ETH`, or `COINS_TOP=60` for the 60 most traded.

    With `OI_POLL_S` below 60 at most 175 coins can be followed: answers are used for 30 s.
    `market_cap_sources` are asked in this order, and the first that knows a coin is believed.
    """

    coins: tuple[str, ...] = ()
    coins_top: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 60
    oi_poll_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 60
    market_cap_sources: tuple[_Source, ...] = ("binance", "coinpaprika", "coingecko", "bundled")
    coinpaprika_url: str = "https://api.coinpaprika.com"
    coingecko_url: str = "https://api.coingecko.com"

    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)
        most = _MOST if self.oi_poll_s >= _MINUTE_S else _MOST_OFTENER
        if max(self.coins_top, len(self.coins)) > most:
            raise ValueError(
                f"COINS or COINS_TOP: with OI_POLL_S={self.oi_poll_s} at most {most} coins, "
                "or the exchanges' limits would be passed"
            )
