"""What oi-poller can be told."""

from typing import Annotated, Final, Literal

import msgspec

from foreshock_exchanges import NAMES, load
from foreshock_kit.settings import VenueSettings
from foreshock_schemas.names import complaint
from oi_poller.domain.costs import MOST, most_coins

_MINUTE_S: Final = 60
_POLLS_USED: Final = 2
"""In a minute: answers are used for 30 s, however often it is polled."""

_Source = Literal["binance", "coinpaprika", "coingecko", "bundled"]


class Settings(VenueSettings, frozen=True, kw_only=True):
    """For example `COINS=BTC,ETH`, or `COINS_TOP=60` for the 60 most traded.

    There may be as many as the exchanges' limits carry; that is fewer with `OI_POLL_S` below 60.
    `market_cap_sources` are asked in this order, and the first that knows a coin is believed; an
    exchange that is not followed is no source.
    """

    coins: tuple[str, ...] = ()
    coins_top: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 60
    oi_poll_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 60
    market_cap_sources: tuple[_Source, ...] = ("binance", "coinpaprika", "coingecko", "bundled")
    coinpaprika_url: str = "https://api.coinpaprika.com"
    coingecko_url: str = "https://api.coingecko.com"

    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)
        if wrong := complaint(self.coins):
            raise ValueError(f"COINS is wrong: {wrong}")
        polls = 1 if self.oi_poll_s >= _MINUTE_S else _POLLS_USED
        coins = len(self.coins) or self.coins_top
        for name in self.exchanges:
            most = most_coins(load(name).rest, polls)
            if coins > most:
                raise ValueError(
                    f"COINS or COINS_TOP: with OI_POLL_S={self.oi_poll_s} at most {most} coins, "
                    f"or the limit of {name} would be passed"
                )
